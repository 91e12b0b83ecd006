/** "Did you mean": the known word nearest to what was written. */
import { distance } from "fastest-levenshtein";

/** Letters only, all small: `learning_rate`, `LearningRate` and `learningRate` are one word. */
function plain(word: string): string {
  return word.toLowerCase().replace(/[^a-z0-9]/g, "");
}

/** Words of the official configuration files and of common usage, and the field that each has become here. */
const otherNames: { readonly [word: string]: string } = {
  augment: "augmentation",
  augmentations: "augmentation",
  aspectratio: "aspect",
  batchsize: "globalBatch",
  batch: "globalBatch",
  clipgrad: "clipNorm",
  cropsize: "size",
  embeddim: "dim",
  encmaskscale: "scale",
  ema: "momentum",
  finallr: "final",
  gradaccum: "accumulation",
  gradientaccumulation: "accumulation",
  imagesize: "size",
  ipescale: "scheduleScale",
  k: "neighbours",
  lr: "learningRate",
  mask: "masking",
  maxnorm: "clipNorm",
  modelname: "size",
  neighbors: "neighbours",
  normalize: "normalize",
  numencmasks: "count",
  numpredmasks: "count",
  numheads: "heads",
  numworkers: "workers",
  optimization: "optimization",
  optimizer: "optimization",
  patchsize: "patch",
  preddepth: "depth",
  predembdim: "dim",
  startlr: "start",
  usehorizontalflip: "horizontalFlip",
  warmup: "warmupEpochs",
  width: "dim",
};

/** The one of `known` that goes by this word elsewhere, or is written another way; null where none is. */
export function otherName(word: string, known: readonly string[]): string | null {
  const written = plain(word);
  const other = Object.hasOwn(otherNames, written) ? otherNames[written] : undefined;
  return known.find((candidate) => candidate === other || plain(candidate) === written) ?? null;
}

/** The nearest of `known`, or null where none is near. */
export function nearest(word: string, known: readonly string[]): string | null {
  const written = plain(word).slice(0, 64);
  const other = Object.hasOwn(otherNames, written) ? otherNames[written] : undefined;
  if (other !== undefined && known.includes(other)) return other;
  const begun = known.find((candidate) => written.length > 2 && plain(candidate).startsWith(written));
  if (begun !== undefined) return begun;
  let best: string | null = null;
  // A third of the letters may be wrong, one of a short word: more than that is another word.
  let bestDistance = Math.min(Math.floor(Math.max(written.length, 3) / 3) + 1, written.length);
  for (const candidate of known) {
    const apart = distance(written, plain(candidate));
    if (apart < bestDistance) {
      best = candidate;
      bestDistance = apart;
    }
  }
  return best;
}
