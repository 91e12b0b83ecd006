/**
 * L-BFGS (Nocedal and Wright, Numerical Optimization, algorithm 7.4) for smooth convex functions, started from a
 * preconditioner that is close to the inverse Hessian. Deterministic.
 */
import { dot } from "./matrix";

export interface Minimum {
  readonly x: Float64Array;
  readonly value: number;
  readonly iterations: number;
}

/** Pairs of steps and changes of the gradient that are remembered. */
const memory = 10;

export function minimize(problem: {
  /** Value at x; writes the gradient there. */
  readonly evaluate: (x: Float64Array, gradient: Float64Array) => number;
  /** Multiplies by about the inverse of the Hessian, in place. */
  readonly precondition: (vector: Float64Array) => void;
  readonly start: Float64Array;
  /** Ends where half of gᵀ·H⁻¹·g, about what is left to gain, is below this. */
  readonly tolerance: number;
  readonly maxIterations: number;
}): Minimum {
  const size = problem.start.length;
  const inner = (a: Float64Array, b: Float64Array): number => dot(a, 0, b, 0, size);
  let x = problem.start.slice();
  let gradient = new Float64Array(size);
  let value = problem.evaluate(x, gradient);
  const pairs: { readonly step: Float64Array; readonly change: Float64Array; readonly inverse: number }[] = [];
  for (let iteration = 0; iteration < problem.maxIterations; iteration++) {
    const direction = gradient.slice();
    const weights: number[] = [];
    for (let i = pairs.length - 1; i >= 0; i--) {
      const pair = pairs[i];
      if (pair === undefined) continue;
      const weight = pair.inverse * inner(pair.step, direction);
      weights[i] = weight;
      addScaled(direction, -weight, pair.change);
    }
    problem.precondition(direction);
    for (const [i, pair] of pairs.entries()) {
      addScaled(direction, (weights[i] ?? 0) - pair.inverse * inner(pair.change, direction), pair.step);
    }
    const slope = -inner(gradient, direction);
    if (-slope / 2 < problem.tolerance) return { x, value, iterations: iteration };
    const found = search(problem.evaluate, { x, value, slope, direction });
    // No smaller value along a direction of descent: the digits are used up.
    if (found === null) return { x, value, iterations: iteration };
    const step = found.x.map((to, i) => to - (x[i] ?? 0));
    const change = found.gradient.map((to, i) => to - (gradient[i] ?? 0));
    const curvature = inner(step, change);
    if (curvature > 1e-12 * inner(change, change)) pairs.push({ step, change, inverse: 1 / curvature });
    if (pairs.length > memory) pairs.shift();
    ({ x, gradient, value } = found);
  }
  return { x, value, iterations: problem.maxIterations };
}

/** Halves the step, or goes to the minimum of a parabola, until the value falls enough (Armijo). */
function search(
  evaluate: (x: Float64Array, gradient: Float64Array) => number,
  from: { readonly x: Float64Array; readonly value: number; readonly slope: number; readonly direction: Float64Array },
): { x: Float64Array<ArrayBuffer>; gradient: Float64Array<ArrayBuffer>; value: number } | null {
  let length = 1;
  for (let trial = 0; trial < 40; trial++) {
    const x = from.x.slice();
    addScaled(x, -length, from.direction);
    const gradient = new Float64Array(x.length);
    const value = evaluate(x, gradient);
    if (value <= from.value + 1e-4 * length * from.slope) return { x, gradient, value };
    const parabola = (-from.slope * length * length) / (2 * (value - from.value - from.slope * length));
    length = Number.isFinite(parabola) ? Math.min(Math.max(parabola, length / 10), length / 2) : length / 10;
  }
  return null;
}

function addScaled(to: Float64Array, scale: number, vector: Float64Array): void {
  for (let i = 0; i < to.length; i++) to[i] = (to[i] ?? 0) + scale * (vector[i] ?? 0);
}
