/** The random resized crop of the reference: which box of an image is cut out, and whether it is mirrored. */
import type { AugmentationPlan } from "../experiment";
import type { Random } from "../random/random";

/** In pixels; whole numbers. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Tries before the crop falls back to the middle. */
const tries = 10;

/**
 * As torchvision's RandomResizedCrop (reference.md §10): area uniform in `cropScale` of the image, the logarithm of
 * width / height uniform in `cropAspect`, then the position; ten tries, then the largest middle box whose aspect is
 * within the range. Draws: area, aspect, and top and left where the box fits.
 *
 * exp, log and √ decide sizes only through a rounding to whole pixels. V8 computes exp and log in software, alike on
 * every machine; an engine that differs in their last bit would change a box about once in 10¹³.
 */
export function randomCrop(random: Random, { width, height }: Size, plan: AugmentationPlan): Box {
  const [leastArea, mostArea] = plan.cropScale;
  const [leastAspect, mostAspect] = plan.cropAspect;
  const logLeast = Math.log(leastAspect);
  const logMost = Math.log(mostAspect);
  for (let attempt = 0; attempt < tries; attempt++) {
    const area = width * height * (leastArea + (mostArea - leastArea) * random.uniform());
    const aspect = Math.exp(logLeast + (logMost - logLeast) * random.uniform());
    const w = roundHalfEven(Math.sqrt(area * aspect));
    const h = roundHalfEven(Math.sqrt(area / aspect));
    if (w < 1 || h < 1 || w > width || h > height) continue;
    const top = random.integer(height - h + 1);
    const left = random.integer(width - w + 1);
    return { left, top, width: w, height: h };
  }
  return middleCrop({ width, height }, leastAspect, mostAspect);
}

/** The largest box around the middle whose width / height lies in the range. */
export function middleCrop({ width, height }: Size, leastAspect: number, mostAspect: number): Box {
  const aspect = width / height;
  let w = width;
  let h = height;
  if (aspect < leastAspect) h = Math.max(1, roundHalfEven(width / leastAspect));
  else if (aspect > mostAspect) w = Math.max(1, roundHalfEven(height * mostAspect));
  return { left: Math.floor((width - w) / 2), top: Math.floor((height - h) / 2), width: w, height: h };
}

/**
 * The box that evaluation sees, in one resampling: the shorter side resized to 256/224 of the wanted size and the middle
 * cut out (evaluation.md's protocol), which is the middle 224/256 of the image at the wanted aspect. torchvision rounds
 * twice (to whole pixels of the resized image), this once (to whole pixels of the image).
 */
export function evaluationCrop({ width, height }: Size, wanted: Size): Box {
  const share = 224 / 256;
  const scale = share * Math.min(width / wanted.width, height / wanted.height);
  const w = Math.max(1, Math.round(scale * wanted.width));
  const h = Math.max(1, Math.round(scale * wanted.height));
  return { left: Math.round((width - w) / 2), top: Math.round((height - h) / 2), width: w, height: h };
}

/** To the even neighbour at ½, as Python rounds. */
export function roundHalfEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  return rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1;
}
