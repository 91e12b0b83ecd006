/** E45x handing on: exports and imports. */
import { kind } from "./kind";

export const exportErrors = {
  notARun: kind("E450", "The folder to export from is no run: it has no experiment.json that a trainer wrote.", () => ({
    what: "the folder is no run",
    want: "a run folder, such as runs/quickstart, or a checkpoint in one",
  })),
  runWithoutCheckpoint: kind(
    "E451",
    "The run has saved nothing yet, or all that it saved is damaged.",
    (facts: { damaged: number }) => ({
      what: "the run has no checkpoint",
      found: facts.damaged === 0 ? "none" : `${facts.damaged}, damaged`,
      hint: "A trainer saves at the end of epochs (checkpoint.everyEpochs), and when it is stopped with Ctrl-C.",
    }),
  ),
  checkpointSaysTooLittle: kind(
    "E452",
    "The metadata of a checkpoint lacks a constant that an export needs: another program wrote or changed it.",
    (facts: { lacks: string }) => ({
      what: `the checkpoint does not say what it is a model of: its metadata has no usable ${facts.lacks}`,
      want: "a checkpoint that a trainer of this project wrote",
    }),
  ),
  exportedEncoderMissing: kind(
    "E453",
    "The checkpoint lacks a tensor of the encoder that is to be exported.",
    (facts: { tensor: string }) => ({
      what: `the checkpoint has no tensor ${facts.tensor}`,
      hint: "Name a whole checkpoint, or the other encoder with --encoder.",
    }),
  ),
  exportInTheWay: kind(
    "E454",
    "The folder of an export holds something else: other files, or an export in another format. It is left as it is.",
    (facts: { found: string }) => ({
      what: "the folder is not empty, and is no export in this format",
      found: facts.found,
      hint: "Remove it, or choose another folder with --out.",
    }),
  ),
  exportedWeightNotFinite: kind(
    "E455",
    "A weight that is to be exported is NaN or infinite, so nothing was written.",
    (facts: { tensor: string }) => ({
      what: `the tensor ${facts.tensor} holds NaN or infinity`,
      hint: "Export an earlier checkpoint of the run.",
    }),
  ),
  noImagesToMeasure: kind(
    "E456",
    "The loss of accuracy of a smaller number format is measured on images, and there are none.",
    (facts: { why: string }) => ({
      what: "there are no images to measure the loss of accuracy on",
      found: facts.why,
      hint: "Name a folder of images with --images.",
    }),
  ),
  exportFormatUnfit: kind(
    "E449",
    "The program that a format is for has no model like this encoder.",
    (facts: { format: string; found: string; others: readonly string[] }) => ({
      what: `the format ${facts.format} cannot hold this encoder`,
      found: facts.found,
      want: `--format ${facts.others.join(" or ")}`,
    }),
  ),
  notAConfiguration: kind(
    "E457",
    "The YAML file is no configuration of the official code.",
    (facts: { why: string }) => ({
      what: `the file is no official configuration: ${facts.why}`,
      want: "YAML with data, mask, meta and optimization, as in the configs folder of the official code",
    }),
  ),
  configurationValue: kind(
    "E458",
    "A value of an official configuration is missing, of the wrong kind, or asks for something that is not done here.",
    (facts: { key: string; found: string; want: string }) => ({
      what: `${facts.key} cannot be taken over`,
      found: facts.found,
      want: facts.want,
    }),
  ),
  fileInTheWay: kind("E459", "An import writes a new file and never over one that is there.", () => ({
    what: "there is a file of this name already",
    hint: "Remove it, or choose another name with --out.",
  })),
} as const;
