/** From the trained model to its step: its passes (passes.ts) and the update of the weights (update.ts). */
import { type StateName, stateNames } from "../../runtime/step/trees";
import type { TrainedModel } from "../autodiff/trained";
import { parametersOf, type Value } from "../ir/graph";
import { IMAGES, readsTarget } from "../model/model";
import { passesOf } from "./passes";
import {
  blocksOf,
  type EachCall,
  type Section,
  type Step,
  type StepFunction,
  type TreeValue,
  weightPath,
} from "./step";
import { state, tree, treeOf } from "./trees";
import { type StepSettings, updateOf } from "./update";

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
    names.filter((name) => name !== "target" || readsTarget(model));
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
        outputs: [...passes.losses, ...update.outputs],
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
      outputs: passes.losses,
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
