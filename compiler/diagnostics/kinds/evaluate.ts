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
  labelMissing: kind(
    "E467",
    "--labels of `ijepa evaluate` names a label that the images, or the file of labels, do not have.",
    (facts: { label: string; found: readonly string[] | null }) => ({
      what: facts.label === "" ? "--labels names no label" : `there is no label "${facts.label}"`,
      ...(facts.found === null ? {} : { found: facts.found.join(", ") || "no labels" }),
      want: "names of labels with commas, columns of parquet files, or a .csv file with a column file_name",
    }),
  ),
  labelsUnusable: kind(
    "E468",
    "A file of labels (--labels F.csv) cannot be read, or does not say one label of every image.",
    (facts: { why: string }) => ({
      what: `these labels cannot be used: ${facts.why}`,
      want: "a line of names, file_name among them, then a line for each image, its file relative to this one",
    }),
  ),
  labelsAreNoClasses: kind(
    "E469",
    "A label has nearly as many values as there are images: it is a measure or a name, and a probe tells classes apart.",
    (facts: { task: string; classes: number; images: number }) => ({
      what: `"${facts.task}" has ${facts.classes} values on ${facts.images} training images, so it is no class`,
      hint: "Write spans instead of measures (Clevr's distance: thresholds 8, 8.5, 9, 9.5, 10), or leave it out with --labels.",
    }),
  ),
  featuresInTheWay: kind("E465", "`ijepa embed` writes new files and never over one that is there.", () => ({
    what: "there is a file of this name already",
    hint: "Remove it, or choose another name with --out.",
  })),
} as const;
