/** The update of the weights from the gradient: its norm and clipping, AdamW, and the moving average (reference.md §5, §7). */
import type { ScheduleTree } from "../../runtime/step/trees";
import type { TrainedModel } from "../autodiff/trained";
import type { Leaf } from "../ir/graph";
import { tokensOf } from "../model/networks";
import { gradientNorm } from "./gradient-norm";
import { shardingOf } from "./sharded-update";
import type { EachCall, ScalarCall, Section, StepFunction, TreeValue } from "./step";
import { state, tree } from "./trees";

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

export interface Update {
  readonly sections: readonly Section[];
  readonly next: StepFunction["next"];
  /** The norm of the gradient. */
  readonly outputs: readonly ScalarCall[];
}

/** Norm and clipping, AdamW, EMA. `raw` are the gradients before they are clipped. */
export function updateOf(raw: TreeValue, model: TrainedModel, settings: StepSettings): Update {
  const { schedule } = model.trees;
  const tokens = tokensOf(model.networks);
  const { beta1, beta2, eps, clipNorm } = settings;
  const found = gradientNorm(raw, clipNorm);
  const { weights, gradients, decays, before, gathered } = shardingOf(found.gradients, settings.shards);
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
      found.section,
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
    outputs: [found.norm],
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
