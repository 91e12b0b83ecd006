/** From the trained model to its step: its passes (passes.ts) and the update of the weights (reference.md §5, §7). */
import { type ScheduleTree, type StateName, stateNames } from "../../runtime/step/trees";
import type { TrainedModel } from "../autodiff/trained";
import { type Leaf, parametersOf, type Value } from "../ir/graph";
import { IMAGES } from "../model/model";
import { tokensOf } from "../model/networks";
import { passesOf } from "./passes";
import {
  blocksOf,
  type EachCall,
  type ScalarCall,
  type Section,
  type Step,
  type StepFunction,
  type TreeValue,
  weightPath,
} from "./step";

const tree = (name: string, each: string): TreeValue => ({ name, each, part: "all" });

/** Trees of the state as functions read them. */
const state = {
  weights: { ...tree("weights", "w"), state: "weights" },
  m: { ...tree("m", "m"), state: "m" },
  v: { ...tree("v", "v"), state: "v" },
  target: { name: "target", each: "t", part: "encoder", state: "target" },
  gradients: { ...tree("state.gradients", "sum"), state: "gradients" },
  /** The same in the function that begins the sum anew. */
  sums: { ...tree("sums", "sum"), state: "gradients" },
} as const satisfies Readonly<Record<string, TreeValue>>;

/** What the update is made of: see `optimization` in the spec. */
export interface StepSettings {
  readonly accumulation: number;
  /** Devices that share the batch. */
  readonly devices: number;
  /** Devices over which the moments of AdamW are divided; 1 where each keeps all of them. */
  readonly shards: number;
  /** Largest norm of the gradient, or null. */
  readonly clipNorm: number | null;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
}

interface Update {
  readonly sections: readonly Section[];
  readonly next: StepFunction["next"];
  /** The norm of the gradient, where it is clipped. */
  readonly outputs: readonly ScalarCall[];
}

/** Clipping, AdamW, EMA. `raw` are the gradients before they are clipped. */
function updateOf(raw: TreeValue, model: TrainedModel, settings: StepSettings): Update {
  const { schedule } = model.trees;
  const tokens = tokensOf(model.networks);
  const { beta1, beta2, eps, clipNorm } = settings;
  const clipping = clipNorm === null ? null : clippingOf(raw, clipNorm);
  const { weights, gradients, decays, before, gathered } = shardingOf(clipping?.gradients ?? raw, settings.shards);
  const nextWeights = gathered.weights;
  const nextM = tree("next.m", "m");
  const nextV = tree("next.v", "v");
  const step: EachCall = {
    kind: "each",
    region: "update",
    part: "update",
    op: "adamw",
    trees: [weights, gradients, state.m, state.v],
    scalars: [{ leaf: schedule.stepSize }, { leaf: schedule.secondMoment }, { leaf: schedule.decayFactor }],
    attrs: [
      ["beta1", String(beta1)],
      ["beta2", String(beta2)],
      ["eps", String(eps)],
      ["decay", [`${decays}.shape.length > 1`, ...tokens.map(({ path }) => `path === "${path}"`)].join(" || ")],
    ],
    gives: [gathered.from, nextM, nextV],
  };
  const average = model.averages ? averageOf(nextWeights, schedule) : null;
  const decayed = ["matrices", ...tokens.map(({ what }) => what)];
  return {
    sections: [
      ...(clipping === null ? [] : [clipping.section]),
      ...before,
      {
        title: [
          `AdamW: decay on ${andText(decayed)}, none on biases and norms (reference.md §7)`,
          "m ← β1·m + (1−β1)·g, v ← β2·v + (1−β2)·g², w ← w · decayFactor − stepSize · m / (√v · secondMoment + eps)",
        ].join("\n"),
        calls: [step],
      },
      ...gathered.sections,
      ...(average === null ? [] : [average.section]),
    ],
    next: { weights: nextWeights, m: nextM, v: nextV, ...(average && { target: average.target }) },
    outputs: clipping === null ? [] : [clipping.norm],
  };
}

/** `a`, `a and b`, `a, b and c` */
const andText = (words: readonly string[]): string =>
  [words.slice(0, -1).join(", "), ...words.slice(-1)].filter((part) => part !== "").join(" and ");

/** The target encoder follows the encoder. */
function averageOf(nextWeights: TreeValue, { keep, take }: ScheduleTree<Leaf>) {
  if (keep === undefined || take === undefined) throw new Error("internal: a moving average without a momentum");
  const target: TreeValue = { name: "nextTarget", each: "t", part: "encoder" };
  const call: EachCall = {
    kind: "each",
    region: "update",
    part: "update",
    op: "ema",
    trees: [state.target, { name: `${nextWeights.name}.encoder`, each: "w", part: "encoder", encoderOf: nextWeights }],
    scalars: [{ leaf: keep }, { leaf: take }],
    attrs: [],
    gives: [target],
  };
  const section: Section = {
    title: "EMA: the target encoder follows the encoder, t ← keep · t + take · w (reference.md §5)",
    calls: [call],
  };
  return { section, target };
}

/** What AdamW reads and gives: whole tensors, or this device's shard of each, after which the shards of all come together. */
interface Sharding {
  readonly weights: TreeValue;
  readonly gradients: TreeValue;
  /** The code of the weight whose shape says whether it decays. */
  readonly decays: string;
  readonly before: readonly Section[];
  readonly gathered: {
    /** What AdamW gives. */
    readonly from: TreeValue;
    readonly sections: readonly Section[];
    /** The new weights. */
    readonly weights: TreeValue;
  };
}

function shardingOf(gradients: TreeValue, shards: number): Sharding {
  const from = tree("next.weights", shards === 1 ? "w" : "shard");
  const { weights } = state;
  if (shards === 1) {
    return { weights, gradients, decays: "w", before: [], gathered: { from, sections: [], weights: from } };
  }
  const any = { kind: "each", region: "update", part: "update", scalars: [] } as const;
  const shardOf = (of: TreeValue, name: string): EachCall => ({
    ...any,
    op: "shard",
    trees: [of],
    attrs: [["length", `shardLength(${of.each}, ${shards})`]],
    gives: [{ name, each: of.each, part: "all", shardOf: of }],
  });
  const before = [shardOf(weights, "shards"), shardOf(gradients, "gradientShards")];
  const [own, slopes] = before.map(treeOf);
  if (own === undefined || slopes === undefined) throw new Error("internal: no shards");
  const whole = tree("nextWeights", "w");
  const gather: EachCall = {
    ...any,
    op: "allGather",
    trees: [from, weights],
    attrs: [],
    gives: [whole],
  };
  return {
    weights: own,
    gradients: slopes,
    decays: "leafAt(weights, path)",
    before: [{ title: `One of ${shards} shards of every tensor: what this device updates`, calls: before }],
    gathered: { from, sections: [{ title: "The shards of all devices", calls: [gather] }], weights: whole },
  };
}

function clippingOf(raw: TreeValue, max: number) {
  const norm: ScalarCall = {
    kind: "scalar",
    region: "update",
    part: "update",
    op: "globalNorm",
    attrs: [],
    of: raw,
    name: "norm",
  };
  const clip: ScalarCall = {
    ...norm,
    op: "clipFactor",
    attrs: [["max", String(max)]],
    of: norm,
    name: "clip",
  };
  const gradients = tree("gradients", "g");
  const scaled: EachCall = {
    kind: "each",
    region: "update",
    part: "update",
    op: "scaleBy",
    trees: [raw],
    scalars: [{ call: clip }],
    attrs: [],
    gives: [gradients],
  };
  const section: Section = { title: "Gradient clipping by the norm over all weights", calls: [norm, clip, scaled] };
  return { section, norm, gradients };
}

/** `x · by` for every tensor of the sums of gradients. */
function scaledSums(sums: TreeValue, by: string, result: TreeValue): EachCall {
  return {
    kind: "each",
    region: "reduce",
    part: "update",
    op: "scale",
    trees: [sums],
    scalars: [],
    attrs: [["by", by]],
    gives: [result],
  };
}

/** The mean over devices of what each of them has found, once a step; no section where there is one device. */
function reductionOf(
  devices: number,
  result: string,
): { readonly local: string; readonly reduced: (local: TreeValue) => readonly [TreeValue, readonly Section[]] } {
  if (devices === 1) return { local: result, reduced: (local) => [local, []] };
  return {
    local: "local",
    reduced: (local) => {
      const mean = tree(result, "g");
      const reduce: EachCall = {
        kind: "each",
        region: "reduce",
        part: "update",
        op: "allReduce",
        trees: [local],
        scalars: [],
        attrs: [],
        gives: [mean],
      };
      return [mean, [{ title: "Mean over the devices of their gradients (reference.md §9)", calls: [reduce] }]];
    },
  };
}

function functionsOf(model: TrainedModel, optimizer: StepSettings): readonly StepFunction[] {
  const { accumulation, clipNorm, devices } = optimizer;
  const kept = (...names: readonly StateName[]): readonly StateName[] =>
    names.filter((name) => name !== "target" || model.averages);
  const { local, reduced } = reductionOf(devices, clipNorm === null ? "gradients" : "means");
  if (accumulation === 1) {
    const passes = passesOf(model, local);
    const [gradients, reduction] = reduced(passes.gradients.gives);
    const update = updateOf(gradients, model, optimizer);
    return [
      {
        name: "step",
        every: "micro-batch",
        reads: kept("weights", "m", "v", "target"),
        takes: ["batch", "schedule", "constants"],
        sections: [...passes.sections, ...reduction, ...update.sections],
        next: update.next,
        outputs: [passes.loss, ...update.outputs],
      },
    ];
  }
  const passes = passesOf(model, "gradients");
  const summed = tree("", "sum");
  const sum: EachCall = {
    kind: "each",
    region: "reduce",
    part: "update",
    op: "add",
    trees: [state.gradients, passes.gradients.gives],
    scalars: [],
    attrs: [],
    gives: [summed],
  };
  const mean = scaledSums(state.sums, `1 / ${accumulation}`, tree(local, "g"));
  const cleared = scaledSums(state.sums, "0", tree("cleared", "sum"));
  const [gradients, reduction] = reduced(treeOf(mean));
  const update = updateOf(gradients, model, optimizer);
  return [
    {
      name: "accumulate",
      every: "micro-batch",
      reads: kept("weights", "target", "gradients"),
      takes: ["batch", "constants"],
      sections: [...passes.sections, { title: null, calls: [sum] }],
      next: { gradients: summed },
      outputs: [passes.loss],
    },
    {
      name: "update",
      every: "step",
      reads: kept("weights", "m", "v", "target", "gradients"),
      takes: ["schedule"],
      sections: [{ title: null, calls: [mean] }, ...reduction, ...update.sections, { title: null, calls: [cleared] }],
      next: { ...update.next, gradients: treeOf(cleared) },
      outputs: update.outputs,
    },
  ];
}

function treeOf({ gives: [made] }: EachCall): TreeValue {
  if (made === undefined) throw new Error("internal: a call that gives no tree");
  return made;
}

/** Every trained weight by path, in the order of execution. */
function weightsOf({ chains }: TrainedModel): ReadonlyMap<string, Value["shape"]> {
  const stages = chains.flatMap((chain) => (chain.kind === "trained" ? chain.stages : []));
  return new Map(
    stages.flatMap((stage) =>
      blocksOf(stage).flatMap((block) =>
        parametersOf(stage.graph).map((weight) => [weightPath(stage, weight, block), weight.shape] as const),
      ),
    ),
  );
}

export function buildStep(model: TrainedModel, optimizer: StepSettings): Step {
  const functions = functionsOf(model, optimizer);
  const state = stateNames.filter((name) => functions.some(({ reads }) => reads.includes(name)));
  const parts = [...new Set([IMAGES, ...model.chains.map(({ part }) => part), "loss", "update"])];
  return { trees: model.trees, parts, state, weights: weightsOf(model), shards: optimizer.shards, functions };
}
