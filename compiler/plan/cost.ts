/** What a step costs: operations by part, and the memory that weights and activations take. */
import { peakBytes, releasesOf } from "../../runtime/ops/liveness";
import type { Graph, Value } from "../ir/graph";
import { type Sizes, sizeOf } from "../ir/number";
import { graphCost } from "../ir/print";
import type { Stage } from "../ir/stage";
import type { Program, TrainedChain } from "../optimise/index";
import { type Plan, sizesOf } from "./plan";
import { type Item, wholeFunctions } from "./whole-step";

export interface PartCost {
  readonly name: "target encoder" | "context encoder" | "predictor" | "loss" | "update";
  readonly forwardFlops: number;
  readonly backwardFlops: number;
}

export interface StepCost {
  readonly parts: readonly PartCost[];
  /** Of one optimiser step, the mean over the programs. */
  readonly flops: number;
}

const timesOf = (stage: Stage): number =>
  stage.repeated && stage.blocks !== undefined ? stage.blocks.to - stage.blocks.from : 1;

const chainFlops = (stages: readonly Stage[], graphOf: (stage: Stage) => Graph, sizes: Sizes): number =>
  stages.reduce((sum, stage) => sum + timesOf(stage) * graphCost(graphOf(stage), sizes).flops, 0);

const backwardFlops = (chain: TrainedChain, sizes: Sizes): number =>
  chain.stages.reduce((sum, stage) => sum + timesOf(stage) * graphCost(stage.gradients.backward, sizes).flops, 0);

/** Elements of the weights that are trained, by network. */
export function parameterCounts(program: Program): { readonly encoder: number; readonly predictor: number } {
  const of = (chain: TrainedChain, network: string) =>
    chain.stages.reduce(
      (sum, stage) =>
        sum +
        timesOf(stage) *
          stage.graph.groups
            .filter((group) => group.path.startsWith(`${network}.`))
            .flatMap((group) => group.parameters)
            .reduce((elements, value) => elements + elementsOf(value, {}), 0),
      0,
    );
  return { encoder: of(program.context, "encoder"), predictor: of(program.predictor, "predictor") };
}

function elementsOf(value: Value, sizes: Sizes): number {
  return value.shape.reduce<number>((product, num) => product * sizeOf(num, sizes), 1);
}

/** adamw and ema: see the cost of these ops. */
const UPDATE_FLOPS_PER_WEIGHT = 12;
const EMA_FLOPS_PER_WEIGHT = 3;

export function stepCost(program: Program, plan: Plan): StepCost {
  const { masks, optimiser } = plan.experiment;
  const mean = (of: (sizes: Sizes) => number): number =>
    optimiser.accumulation *
    masks.programs.reduce((sum, each) => sum + each.probability * of(sizesOf(each, masks.targetCount)), 0);
  const counts = parameterCounts(program);
  const parts: readonly PartCost[] = [
    {
      name: "target encoder",
      forwardFlops: mean((sizes) => chainFlops(program.target.stages, (stage) => stage.graph, sizes)),
      backwardFlops: 0,
    },
    {
      name: "context encoder",
      forwardFlops: mean((sizes) => chainFlops(program.context.stages, (stage) => stage.graph, sizes)),
      backwardFlops: mean((sizes) => backwardFlops(program.context, sizes)),
    },
    {
      name: "predictor",
      forwardFlops: mean((sizes) => chainFlops(program.predictor.stages, (stage) => stage.graph, sizes)),
      backwardFlops: mean((sizes) => backwardFlops(program.predictor, sizes)),
    },
    {
      name: "loss",
      forwardFlops: mean((sizes) => graphCost(program.loss.forward, sizes).flops),
      backwardFlops: mean((sizes) => graphCost(program.loss.backward, sizes).flops),
    },
    {
      name: "update",
      forwardFlops:
        UPDATE_FLOPS_PER_WEIGHT * (counts.encoder + counts.predictor) + EMA_FLOPS_PER_WEIGHT * counts.encoder,
      backwardFlops: 0,
    },
  ];
  return { parts, flops: parts.reduce((sum, part) => sum + part.forwardFlops + part.backwardFlops, 0) };
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
export function functionCosts(program: Program, { sizes, model }: Plan): readonly FunctionCost[] {
  const perImage = (graph: Graph): number => graphCost(graph, sizes).flops / model.images;
  const of = (stage: Stage, backward: number): FunctionCost => ({
    name: stage.graph.name,
    calls: timesOf(stage),
    forwardFlops: perImage(stage.graph),
    backwardFlops: backward,
  });
  const { forward, backward } = program.loss;
  return [
    ...program.target.stages.map((stage) => of(stage, 0)),
    ...[...program.context.stages, ...program.predictor.stages].map((stage) =>
      of(stage, perImage(stage.gradients.backward)),
    ),
    { name: forward.name, calls: 1, forwardFlops: perImage(forward), backwardFlops: perImage(backward) },
  ];
}

export interface MemoryEstimate {
  /** Weights, both moments, target encoder, and gradients that are kept between micro-batches. */
  readonly stateBytes: number;
  /** What the forward pass keeps for the backward pass, in the largest program. */
  readonly keptBytes: number;
  /** What else lives at the fullest moment: gradients, inputs, and what the op under way reads and makes. */
  readonly workBytes: number;
  /**
   * The most that lives at any time, if every tensor is released after its last reader. What an engine needs within an op,
   * and what it keeps to be fast, is not in it.
   */
  readonly totalBytes: number;
}

const FLOAT_BYTES = 4;

export function memoryEstimate(program: Program, plan: Plan): MemoryEstimate {
  const { masks, optimiser } = plan.experiment;
  const counts = parameterCounts(program);
  const copies = optimiser.accumulation > 1 ? 4 : 3;
  const stateBytes = FLOAT_BYTES * (copies * (counts.encoder + counts.predictor) + counts.encoder);
  const functions = wholeFunctions(program, { accumulation: optimiser.accumulation, clips: plan.clipNorm !== null });
  const released = functions.map((fn) => releasesOf(fn.ops, fn));
  const estimates = masks.programs.map((each) => {
    const sizes = sizesOf(each, masks.targetCount);
    const bytesOf = ({ shape }: Item): number =>
      FLOAT_BYTES * shape.reduce<number>((product, num) => product * sizeOf(num, sizes), 1);
    const bytesIn = (items: readonly Item[]): number => items.reduce((sum, item) => sum + bytesOf(item), 0);
    const peaks = functions.map(({ ops, given, untouched }, i) =>
      peakBytes(ops, released[i] ?? releasesOf(ops, { kept: [] }), {
        bytesOf,
        atStart: bytesIn(given) + bytesIn(untouched),
      }),
    );
    return { kept: bytesIn(functions.flatMap(({ saved }) => saved)), total: Math.max(...peaks) };
  });
  const totalBytes = Math.max(...estimates.map(({ total }) => total));
  const keptBytes = Math.max(...estimates.map(({ kept }) => kept));
  return { stateBytes, keptBytes, workBytes: totalBytes - stateBytes - keptBytes, totalBytes };
}
