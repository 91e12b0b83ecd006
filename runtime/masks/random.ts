/** Which patches are seen: as many of every image, each set of them as likely as any other (paper §3, "Masking"). */

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
}

export function drawPatches(plan: VisiblePlan, { seed, step, images, firstImage }: PatchDrawRequest): PatchDraw {
  const [program] = plan.programs;
  if (program === undefined) throw new Error("internal: a mask plan without programs");
  const { contextTokens: seen, targetTokens: hidden } = program;
  const visible = new Int32Array(images * seen);
  const masked = new Int32Array(images * hidden);
  const order = new Int32Array(seen + hidden);
  for (let image = 0; image < images; image++) {
    for (let patch = 0; patch < order.length; patch++) order[patch] = patch;
    randomAt({ seed, purpose: "masks.patches", step, sample: firstImage + image }).shuffle(order);
    visible.set(order.subarray(0, seen).sort(), image * seen);
    masked.set(order.subarray(seen).sort(), image * hidden);
  }
  return { lengths: lengthsOf(program, plan.targetCount), visible, masked };
}
