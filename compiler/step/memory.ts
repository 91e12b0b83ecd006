/** The memory that a step takes at its fullest, if every tensor is released after its last reader. */
import { formatBytes } from "../../runtime/ops/formats";
import { peakBytes, releasesOf } from "../../runtime/ops/liveness";
import { type Lengths, lengthsOf } from "../../runtime/step/lengths";
import type { Plan } from "../plan/plan";
import { elementsOf } from "./cost";
import { type Step, stateTensors } from "./step";
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

/** Of the program that takes the most. */
export function memoryEstimate(step: Step, plan: Plan): MemoryEstimate {
  const [largest] = programEstimates(step, plan);
  if (largest === undefined) throw new Error("internal: a mask plan without programs");
  return largest;
}

/** Of every program, with its lengths; the largest first. */
export function programEstimates(step: Step, plan: Plan): readonly (MemoryEstimate & { readonly lengths: Lengths })[] {
  const { masks } = plan.experiment;
  const functions = step.functions.map((fn) => unroll(step, fn));
  const released = functions.map((fn) => releasesOf(fn.ops, fn));
  const stateBytes = stateBytesOf(step);
  const estimates = masks.programs.map((each) => {
    const lengths = lengthsOf(each, masks.targetCount);
    const bytesOf = ({ shape, dtype = "f32" }: Item): number => formatBytes[dtype] * elementsOf(shape, lengths);
    const bytesIn = (items: readonly Item[]): number => items.reduce((sum, item) => sum + bytesOf(item), 0);
    const peaks = functions.map(({ ops, given, untouched }, i) =>
      peakBytes(ops, released[i] ?? releasesOf(ops, { kept: [] }), {
        bytesOf,
        atStart: bytesIn(given) + bytesIn(untouched),
      }),
    );
    const keptBytes = bytesIn(functions.flatMap(({ saved }) => saved));
    const totalBytes = Math.max(...peaks);
    return { lengths, stateBytes, keptBytes, workBytes: totalBytes - stateBytes - keptBytes, totalBytes };
  });
  return estimates.sort((a, b) => b.totalBytes - a.totalBytes);
}

function stateBytesOf(step: Step): number {
  const tensors = step.state.flatMap((name) => stateTensors(step, name));
  return formatBytes.f32 * tensors.reduce((sum, [, shape]) => sum + elementsOf(shape, {}), 0);
}
