/** Defaults that fit the rest of a spec: those of the released configuration wherever they can be, else the nearest sense. */
import { areaOf } from "../../runtime/masks/blocks";
import { maskSizes, type SizeSettings } from "../masks/settings";

/** The values of in1k_vith14_ep300, which its own image size, epochs and data allow. */
const released = {
  patch: 14,
  gridSide: 16,
  minKeep: 10,
  globalBatch: 2048,
  warmupEpochs: 40,
  epochs: 300,
  neighbours: 20,
} as const;

/** More patches a side than this are refused. */
const mostGridSide = 64;

/** 14 where it divides the image, else the divisor nearest to a grid of 16×16; 14 where there is none. */
export function fittingPatch(imageSize: number): number {
  if (imageSize % released.patch === 0 && imageSize >= 2 * released.patch) return released.patch;
  const sides = Array.from({ length: mostGridSide - 1 }, (_, i) => i + 2).filter((side) => imageSize % side === 0);
  const apart = (side: number): number => Math.abs(Math.log(side / released.gridSide));
  const [first, ...others] = sides;
  if (first === undefined) return released.patch;
  return imageSize / others.reduce((best, side) => (apart(side) < apart(best) ? side : best), first);
}

/** 10, or one less than the smallest block that can be drawn, where that has so few patches. */
export function fittingMinKeep(settings: SizeSettings): number {
  const { targets, contexts } = maskSizes(settings);
  const smallest = Math.min(...[...targets, ...contexts].map(areaOf));
  return Math.max(0, Math.min(released.minKeep, smallest - 1));
}

/** Fewest steps of an epoch that a default batch leaves. */
const fewestSteps = 4;

/** 2048, or the largest power of two that leaves an epoch at least 4 steps; a multiple of the parts it is divided into. */
export function fittingBatch({ images, parts }: { readonly images: number; readonly parts: number }): number {
  const power = 2 ** Math.floor(Math.log2(Math.max(1, images / fewestSteps)));
  return Math.max(1, Math.floor(Math.min(released.globalBatch, power) / parts)) * parts;
}

/** The learning rate around its peak: what an objective's own code has at the released length and batch. */
export interface ReleasedSchedule {
  /** Where the warm-up begins, and where the cosine ends. */
  readonly start: number;
  readonly final: number;
  readonly warmupEpochs: number;
}

/** The released schedule for this peak; no more of the curves is warm-up than I-JEPA's share, 40 of 300 epochs. */
export function fittingLearningRate(what: {
  readonly released: ReleasedSchedule;
  readonly peak: number;
  readonly curveEpochs: number;
}): ReleasedSchedule {
  const { start, final, warmupEpochs } = what.released;
  return {
    start: Math.min(start, what.peak),
    final: Math.min(final, what.peak),
    warmupEpochs: Math.min(warmupEpochs, (what.curveEpochs * released.warmupEpochs) / released.epochs),
  };
}

/** 20, or all images that the probes learn from. */
export function fittingNeighbours(images: number): number {
  return Math.max(1, Math.min(released.neighbours, images));
}
