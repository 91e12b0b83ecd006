/**
 * How far numbers may be from recorded ones of float32 where products take their operands in bfloat16.
 *
 * A cast rounds to 8 bits of significand, so its relative error is at most u = 2⁻⁸ (the unit roundoff): uniform within
 * ±u / s for a significand s in [1, 2), and significands are spread like 1 / s, which makes √(u² / 3 · (1 − ¼) / (2 ln 2)) =
 * 0.425 u of it in the root mean square. Sums of products are exact beside it, and errors of different casts are
 * independent, so that they add up in quadrature: what N casts have a part in is off by √N · 0.425 u of its norm, if it
 * is no difference of nearly equal numbers. Means that norms and the gradient of softmax subtract are such; twice as much
 * is allowed for them.
 *
 * AdamW makes a step of about the learning rate out of whatever gradient there is. So what rounding does to a weight in the
 * first step depends on its gradient: where that is larger than its error, its sign is known and the step as exact as
 * gradients in float32 make it; elsewhere, and in later steps, two runs may move apart by all that AdamW can move a weight.
 */
import type { OptimizerPlan } from "../experiment";
import { type Chosen, type Group, largest, type Numbers } from "./compare";
import { floatsOf } from "./inputs";
import type { Trace } from "./trace";

const UNIT_ROUNDOFF = 2 ** -8;
const MEAN_SQUARE = Math.sqrt((1 - 1 / 4) / (2 * Math.log(2)) / 3);

/** The relative error that is allowed to what so many casts have a part in. */
export function toleranceOfCasts(casts: number): number {
  return 2 * Math.sqrt(casts) * MEAN_SQUARE * UNIT_ROUNDOFF;
}

/** A tensor that was recorded, or some of its elements. */
export interface Judged {
  readonly group: Group;
  readonly tensor: string;
  readonly afterSteps: number;
  readonly recorded: Numbers;
  /** What float32 is allowed. */
  readonly tolerance: number;
}

export interface Part {
  /** Behind the name of the tensor. */
  readonly part: string;
  readonly chosen?: Chosen;
  readonly tolerance: number;
}

/** The tolerances of a recorded tensor, in parts where some elements are known better than others. */
export type Judge = (judged: Judged) => Promise<readonly Part[]>;

export const asInFloat32: Judge = async ({ tolerance }) => [{ part: "", tolerance }];

export async function asInBfloat16(trace: Trace, optimizer: OptimizerPlan, casts: number): Promise<Judge> {
  const rates = await floatsOf(trace.file, "seq.lr");
  const momenta = trace.averages ? await floatsOf(trace.file, "seq.momentum") : [];
  const share = toleranceOfCasts(casts);
  const rounded: Judge = async ({ tolerance, recorded }) => [
    { part: "", tolerance: Math.max(tolerance, share * largest(recorded)) },
  ];
  /** Twice the way of a weight: two runs may go opposite ways. A moving average takes a share of it. */
  const moved = ({ group, afterSteps, tolerance }: Judged): number => {
    const way = Array.from(rates.slice(0, afterSteps)).reduce(
      (sum, rate, step) => sum + rate * longestStep(step + 1, optimizer),
      0,
    );
    return tolerance + takenBy(group, momenta, afterSteps) * 2 * way;
  };
  const updated: Judge = async (judged) => {
    const { tensor, tolerance, group, afterSteps } = judged;
    const gradientName = tensor.replace(/^after\d+\.(target_)?/, "grad.");
    if (afterSteps !== 1 || !trace.file.header.tensors.has(gradientName)) {
      return [{ part: "", tolerance: moved(judged) }];
    }
    const gradient = await floatsOf(trace.file, gradientName);
    const error = share * largest(gradient);
    const isKnown: Chosen = (i) => Math.abs(gradient[i] ?? 0) > 2 * error;
    // g / (|g| + ε) has the slope ε / (|g| + ε)², and |g| is more than the error after an error of its half at most.
    const known = (takenBy(group, momenta, 1) * (rates[0] ?? 0) * optimizer.eps) / error;
    return [
      { part: "[gradient beyond rounding]", chosen: isKnown, tolerance: tolerance + known },
      { part: "[gradient within rounding]", chosen: (i) => !isKnown(i), tolerance: moved(judged) },
    ];
  };
  const judges: { readonly [G in Group]: Judge } = {
    "position embeddings": asInFloat32,
    schedules: asInFloat32,
    targets: rounded,
    context: rounded,
    predictions: rounded,
    losses: rounded,
    gradients: rounded,
    weights: updated,
    "moving average": updated,
  };
  return (judged) => judges[judged.group](judged);
}

/** What a moving average has of weights that moved: 1 − Π momentum; all, where it is the weights themselves. */
function takenBy(group: Group, momenta: Numbers, steps: number): number {
  if (group !== "moving average") return 1;
  let kept = 1;
  for (let step = 0; step < steps; step++) kept *= momenta[step] ?? 1;
  return 1 - kept;
}

/**
 * |m̂| / √v̂ of AdamW at most in its step number t ≥ 1: by Cauchy √Σ a² / b, of the weights a and b of a gradient of s steps
 * ago in the means that β1 and β2 make.
 */
function longestStep(t: number, { beta1, beta2 }: Pick<OptimizerPlan, "beta1" | "beta2">): number {
  const weightOf = (beta: number, s: number): number => ((1 - beta) * beta ** s) / (1 - beta ** t);
  let sum = 0;
  for (let s = 0; s < t; s++) sum += weightOf(beta1, s) ** 2 / weightOf(beta2, s);
  return Math.sqrt(sum);
}
