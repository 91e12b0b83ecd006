/** Which patches are seen: as many of every image, each set of them (or of squares of them) as likely as any other. */

import { randomAt } from "../random/random";
import { type Lengths, lengthsOf } from "../step/lengths";
import type { VisiblePlan } from "./plan";

export interface PatchDraw {
  readonly lengths: Lengths;
  /** [images, visible], ascending: to attention their order is nothing. */
  readonly visible: Int32Array;
  /** [images, masked]: all others. */
  readonly masked: Int32Array;
}

export interface PatchDrawRequest {
  readonly seed: number;
  /** Optimizer step, from 0. */
  readonly step: number;
  readonly images: number;
  /** Number of its first image within the global batch. */
  readonly firstImage: number;
  /** Of several sets of masks of an image (sets.ts); left out: the first. */
  readonly set?: number;
}

export function drawPatches(plan: VisiblePlan, { seed, step, images, firstImage }: PatchDrawRequest): PatchDraw {
  const [program] = plan.programs;
  if (program === undefined) throw new Error("internal: a mask plan without programs");
  const { contextTokens: seen, targetTokens: hidden } = program;
  const visible = new Int32Array(images * seen);
  const masked = new Int32Array(images * hidden);
  const squares = squaresOf(plan);
  const order = new Int32Array(squares.length);
  const patches = new Int32Array(seen + hidden);
  for (let image = 0; image < images; image++) {
    for (let square = 0; square < order.length; square++) order[square] = square;
    randomAt({ seed, purpose: "masks.patches", step, sample: firstImage + image }).shuffle(order);
    order.forEach((square, at) => {
      patches.set(squares[square] ?? [], at * plan.unit ** 2);
    });
    visible.set(patches.subarray(0, seen).sort(), image * seen);
    masked.set(patches.subarray(seen).sort(), image * hidden);
  }
  return { lengths: lengthsOf(program, plan.targetCount), visible, masked };
}

/** The patches of every square that is drawn as one, row by row. */
function squaresOf({ gridHeight, gridWidth, unit }: VisiblePlan): readonly (readonly number[])[] {
  const columns = gridWidth / unit;
  return Array.from({ length: (gridHeight / unit) * columns }, (_, square) => {
    const [top, left] = [unit * Math.floor(square / columns), unit * (square % columns)];
    return Array.from({ length: unit ** 2 }, (_, i) => (top + Math.floor(i / unit)) * gridWidth + left + (i % unit));
  });
}
