/** What a step costs: operations by part, folded over its ops. */
import { lengthsOf } from "../../runtime/step/lengths";
import type { Graph } from "../ir/graph";
import { type Sizes, sizeOf } from "../ir/number";
import { ops } from "../ops";
import { graphCost } from "../ops/cost";
import type { Plan } from "../plan/plan";
import { blocksOf, callsOf, networkOf, type Part, type Step } from "./step";
import { type Item, type UnrolledOp, unroll } from "./unroll";

export interface PartCost {
  readonly name: Part;
  readonly forwardFlops: number;
  readonly backwardFlops: number;
}

export interface StepCost {
  readonly parts: readonly PartCost[];
  /** Of one optimizer step, the mean over the programs. */
  readonly flops: number;
}

/** Elements of the weights that are trained, by network; there is always an encoder. */
export interface ParameterCounts {
  readonly encoder: number;
  readonly [network: string]: number;
}

export function parameterCounts({ weights }: Step): ParameterCounts {
  const counts: { encoder: number; [network: string]: number } = { encoder: 0 };
  for (const [path, shape] of weights) {
    const network = networkOf(path);
    counts[network] = (counts[network] ?? 0) + elementsOf(shape, {});
  }
  return counts;
}

export const allParameters = (counts: ParameterCounts): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

export function elementsOf(shape: Item["shape"], sizes: Sizes): number {
  return shape.reduce<number>((product, num) => product * sizeOf(num, sizes), 1);
}

function flopsOf({ op, inputs, outputs }: UnrolledOp, sizes: Sizes): number {
  const numbers = (items: readonly Item[]) => items.map(({ shape }) => shape.map((num) => sizeOf(num, sizes)));
  return ops[op].flops(numbers(inputs), numbers(outputs));
}

export function stepCost(step: Step, plan: Plan): StepCost {
  const { masks, optimizer } = plan.experiment;
  const totals = new Map(step.parts.map((name) => [name, { name, forwardFlops: 0, backwardFlops: 0 }]));
  for (const fn of step.functions) {
    const times = fn.every === "micro-batch" ? optimizer.accumulation : 1;
    for (const unrolled of unroll(step, fn).ops) {
      const total = totals.get(unrolled.call.part);
      if (total === undefined) continue;
      const flops = masks.programs.reduce(
        (sum, each) => sum + each.probability * flopsOf(unrolled, lengthsOf(each, masks.targetCount)),
        0,
      );
      total[unrolled.call.region === "backward" ? "backwardFlops" : "forwardFlops"] += times * flops;
    }
  }
  const costs = [...totals.values()];
  return { parts: costs, flops: costs.reduce((sum, part) => sum + part.forwardFlops + part.backwardFlops, 0) };
}

/** One generated function in the most probable program; its backward function stands beside it. */
export interface FunctionCost {
  readonly name: string;
  /** Calls per micro-batch: a block function is called for every block. */
  readonly calls: number;
  /** Of one call, per image. */
  readonly forwardFlops: number;
  /** 0 where there is no backward function. */
  readonly backwardFlops: number;
}

/** In the order of step.ts. */
export function functionCosts(step: Step, { sizes, model }: Plan): readonly FunctionCost[] {
  const perImage = (graph: Graph): number => graphCost(graph, sizes).flops / model.images;
  return step.functions.flatMap(callsOf).flatMap((call): readonly FunctionCost[] => {
    if (call.kind === "loss") {
      const { forward, backward } = call.loss;
      return [{ name: forward.name, calls: 1, forwardFlops: perImage(forward), backwardFlops: perImage(backward) }];
    }
    if (call.kind !== "inference" && call.kind !== "forward") return [];
    return [
      {
        name: call.stage.graph.name,
        calls: blocksOf(call.stage).length,
        forwardFlops: perImage(call.stage.graph),
        backwardFlops: call.kind === "forward" ? perImage(call.stage.gradients.backward) : 0,
      },
    ];
  });
}
