/** Loops over plain arrays, for the backends whose memory JavaScript can reach. */

export interface AdamwNumbers {
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly stepSize: number;
  readonly secondMoment: number;
  /** 1 where it does not decay. */
  readonly decayFactor: number;
}

/** Arrays of one length; the last three are written. */
export interface AdamwArrays {
  readonly weight: Float32Array;
  readonly gradient: Float32Array;
  readonly m: Float32Array;
  readonly v: Float32Array;
  readonly nextWeight: Float32Array;
  readonly nextM: Float32Array;
  readonly nextV: Float32Array;
}

/** The update of `adamw` in runtime/ops/ops.ts, computed in float64 and rounded once. */
export function adamwInto(arrays: AdamwArrays, numbers: AdamwNumbers): void {
  const { weight, gradient, m, v, nextWeight, nextM, nextV } = arrays;
  const { beta1, beta2, eps, stepSize, secondMoment, decayFactor } = numbers;
  for (let i = 0; i < weight.length; i++) {
    const g = gradient[i] ?? 0;
    const first = beta1 * (m[i] ?? 0) + (1 - beta1) * g;
    const second = beta2 * (v[i] ?? 0) + (1 - beta2) * g * g;
    nextM[i] = first;
    nextV[i] = second;
    nextWeight[i] = (weight[i] ?? 0) * decayFactor - (stepSize * first) / (Math.sqrt(second) * secondMoment + eps);
  }
}

export function emaInto(
  target: Float32Array,
  weight: Float32Array,
  next: Float32Array,
  keep: number,
  take: number,
): void {
  for (let i = 0; i < target.length; i++) next[i] = keep * (target[i] ?? 0) + take * (weight[i] ?? 0);
}

/** The part of `from` that begins at `begin` and has the sizes `size`, run by run of elements that lie side by side. */
export function copyPart(
  from: Float32Array,
  shape: readonly number[],
  begin: readonly number[],
  size: readonly number[],
  to: Float32Array,
): void {
  // Axes from here on are taken whole, so a run covers them and the part of the axis before.
  let axis = shape.length - 1;
  let run = 1;
  while (axis > 0 && size[axis] === shape[axis]) run *= shape[axis--] ?? 1;
  const inner = run;
  run *= size[axis] ?? 1;
  let written = 0;
  const copy = (at: number, offset: number): void => {
    const start = begin[at] ?? 0;
    if (at === axis) {
      const first = (offset + start) * inner;
      to.set(from.subarray(first, first + run), written);
      written += run;
      return;
    }
    for (let i = 0; i < (size[at] ?? 1); i++) copy(at + 1, (offset + start + i) * (shape[at + 1] ?? 1));
  };
  copy(0, 0);
}
