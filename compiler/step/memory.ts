/** The memory that a step takes at its fullest, if every tensor is released after its last reader. */
import { formatBytes } from "../../runtime/ops/formats";
import { peakBytes, releasesOf } from "../../runtime/ops/liveness";
import { lengthsOf } from "../../runtime/step/lengths";
import { stateTrees } from "../../runtime/step/trees";
import type { Plan } from "../plan/plan";
import { elementsOf } from "./cost";
import { type Step, weightsOfPart } from "./step";
import { type Item, unroll } from "./unroll";

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

export function memoryEstimate(step: Step, plan: Plan): MemoryEstimate {
  const { masks } = plan.experiment;
  const functions = step.functions.map((fn) => unroll(step, fn));
  const released = functions.map((fn) => releasesOf(fn.ops, fn));
  const estimates = masks.programs.map((each) => {
    const sizes = lengthsOf(each, masks.targetCount);
    const bytesOf = ({ shape, dtype = "f32" }: Item): number => formatBytes[dtype] * elementsOf(shape, sizes);
    const bytesIn = (items: readonly Item[]): number => items.reduce((sum, item) => sum + bytesOf(item), 0);
    const peaks = functions.map(({ ops, given, untouched }, i) =>
      peakBytes(ops, released[i] ?? releasesOf(ops, { kept: [] }), {
        bytesOf,
        atStart: bytesIn(given) + bytesIn(untouched),
      }),
    );
    return { kept: bytesIn(functions.flatMap(({ saved }) => saved)), total: Math.max(...peaks) };
  });
  const stateBytes = stateBytesOf(step);
  const totalBytes = Math.max(...estimates.map(({ total }) => total));
  const keptBytes = Math.max(...estimates.map(({ kept }) => kept));
  return { stateBytes, keptBytes, workBytes: totalBytes - stateBytes - keptBytes, totalBytes };
}

function stateBytesOf(step: Step): number {
  const weights = step.state.flatMap((name) => weightsOfPart(step, stateTrees[name].part));
  return formatBytes.f32 * weights.reduce((sum, [, shape]) => sum + elementsOf(shape, {}), 0);
}
