/** E46x judging: evaluations and features of images. */
import { kind } from "./kind";

export const evaluateErrors = {
  architectureUnknown: kind("E460", "Weights of others do not say what they are a model of; a spec has to.", () => ({
    what: "the file does not say the architecture of its encoder",
    hint: "Name a spec with that encoder and image size with --spec, such as one of experiments/official.",
  })),
  imagesWithoutLabels: kind("E461", "A probe needs labels, and the images have none.", () => ({
    what: "the images have no labels",
    want: "a folder for each class, or --protocol collapse,lidar, which need none",
  })),
  oneClass: kind(
    "E462",
    "A probe tells classes apart, and a split has images of one class alone.",
    (facts: { task: string; split: string }) => ({
      what: `the ${facts.split} images have one class of "${facts.task}" alone, so there is nothing to tell apart`,
      hint: "Add images of another class, or use --protocol collapse,lidar, which need no labels.",
    }),
  ),
  evaluatedWeightNotFinite: kind(
    "E463",
    "A weight of the encoder is NaN or infinite, so its features say nothing.",
    (facts: { tensor: string }) => ({
      what: `the tensor ${facts.tensor} holds NaN or infinity`,
      hint: "Use an earlier checkpoint of the run.",
    }),
  ),
  noLabelledFolder: kind(
    "E464",
    "What --data or the images of `ijepa embed` name is neither a folder of images nor tar shards nor parquet files.",
    () => ({
      what: "these are no images",
      want: "a folder with a folder for each class, or with train and val in it; or .tar or .parquet files",
    }),
  ),
  embeddedImageUnreadable: kind(
    "E466",
    "`ijepa embed` gives a row for every image, so it stops at one that cannot be decoded; nothing is written.",
    (facts: { why: string }) => ({
      what: "the image cannot be decoded",
      found: facts.why,
      hint: "Remove or replace it.",
    }),
  ),
  featuresInTheWay: kind("E465", "`ijepa embed` writes new files and never over one that is there.", () => ({
    what: "there is a file of this name already",
    hint: "Remove it, or choose another name with --out.",
  })),
} as const;
