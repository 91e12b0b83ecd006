/** E3xx the fields of a spec against each other. */
import { imageEndingsText } from "../../../runtime/data/image-format";
import { kind } from "./kind";

type Block = { readonly height: number; readonly width: number };
const blockText = ({ height, width }: Block): string => `${height}×${width}`;

/** Which `minKeep` fits a block. */
function minKeepHint({ height, width }: Block, which: "target" | "context"): string {
  const others = `raise the ${which} scale, or take smaller patches.`;
  const fits = height * width - 1;
  return fits < 0
    ? `${others[0]?.toUpperCase()}${others.slice(1)}`
    : `Set masking.minKeep to ${fits} or less, ${others}`;
}

/** What is drawn as one where patches are masked at random. */
const drawn = ({ unit }: { readonly unit: number }): string =>
  unit === 1 ? "patches" : `squares of ${unit}×${unit} patches`;

export const specErrors = {
  reversedRange: kind(
    "E301",
    "A pair gives the smallest value first and the largest second.",
    (facts: { low: number; high: number }) => ({
      what: "the smallest is larger than the largest",
      found: `[${facts.low}, ${facts.high}]`,
      want: `[${facts.high}, ${facts.low}]`,
    }),
  ),
  patchDividesImage: kind(
    "E302",
    "An image is cut into whole patches, at least two in each direction.",
    (facts: { imageSize: number; patch: number; nearest: readonly number[] }) => ({
      what: `patches of ${facts.patch} pixels do not tile an image of ${facts.imageSize} at least twice each way`,
      found: `${facts.imageSize} / ${facts.patch} = ${Number((facts.imageSize / facts.patch).toFixed(3))}`,
      want: facts.nearest.length > 0 ? `a patch of ${facts.nearest.join(" or ")}` : "another image size",
    }),
  ),
  headsDivideDim: kind(
    "E303",
    "The width of a token is shared out evenly among the attention heads.",
    (facts: { dim: number; heads: number; nearest: readonly number[]; inherited: boolean }) => ({
      what: `${facts.heads} heads do not divide a width of ${facts.dim}`,
      found: `${facts.dim} / ${facts.heads} = ${Number((facts.dim / facts.heads).toFixed(3))}`,
      want: `${facts.nearest.join(" or ")} heads, or another width`,
      ...(facts.inherited && { hint: "The predictor takes its heads from the encoder unless it says otherwise." }),
    }),
  ),
  encoderSizeAndNumbers: kind(
    "E304",
    "An encoder is given by an official size or by its numbers, not by both.",
    (facts: { keys: readonly string[] }) => ({
      what: `\`size\` already decides ${facts.keys.join(", ")}`,
      found: `\`size\` and ${facts.keys.join(", ")}`,
      want: "either `size`, or `dim`, `depth` and `heads`",
    }),
  ),
  encoderIncomplete: kind(
    "E305",
    "An encoder that is given by its numbers needs width, depth and heads.",
    (facts: { given: readonly string[]; missing: readonly string[] }) => ({
      what: `without a \`size\` the encoder also needs ${facts.missing.map((key) => `\`${key}\``).join(" and ")}`,
      found: `only ${facts.given.join(", ")}`,
      want: "either `size`, or `dim`, `depth` and `heads`",
    }),
  ),
  batchDivides: kind(
    "E306",
    "The global batch is shared out evenly among devices and accumulated parts.",
    (facts: { globalBatch: number; gpus: number; accumulation: number; nearest: readonly number[] }) => ({
      what: `${facts.globalBatch} images do not divide by gpus × accumulation`,
      found: `${facts.globalBatch} / (${facts.gpus} × ${facts.accumulation}) = ${Number((facts.globalBatch / (facts.gpus * facts.accumulation)).toFixed(3))}`,
      want: `a global batch of ${facts.nearest.join(" or ")}`,
    }),
  ),
  epochTooShort: kind(
    "E307",
    "An epoch has at least one whole batch; what is left over is dropped.",
    (facts: { images: number; globalBatch: number }) => ({
      what: "not one batch fits into an epoch",
      found: `${facts.globalBatch} images per batch, ${facts.images} images`,
      want: `a global batch of at most ${facts.images}`,
    }),
  ),
  warmupTooLong: kind(
    "E308",
    "The warm-up ends before the learning rate's curve does.",
    (facts: { warmupEpochs: number; curveEpochs: number }) => ({
      what: "the warm-up does not end before training does",
      found: `${facts.warmupEpochs} epochs of warm-up`,
      want: `less than epochs × scheduleScale = ${facts.curveEpochs}`,
    }),
  ),
  learningRateOrder: kind(
    "E309",
    "The learning rate climbs to its peak and falls from it.",
    (facts: { field: "start" | "final"; value: number; peak: number }) => ({
      what: `\`${facts.field}\` is above \`peak\``,
      found: `${facts.value}`,
      want: `at most ${facts.peak}, the peak`,
    }),
  ),
  targetBlockTooSmall: kind(
    "E310",
    "Every target block that can be drawn has more patches than `minKeep`; the released code would search for ever.",
    (facts: Block & { grid: number; minKeep: number }) => ({
      what: `on a grid of ${facts.grid}×${facts.grid} patches a target block can be as small as ${blockText(facts)}`,
      found: `${facts.height * facts.width} patches`,
      want: `more than masking.minKeep = ${facts.minKeep}`,
      hint: minKeepHint(facts, "target"),
    }),
  ),
  contextBlockTooSmall: kind(
    "E311",
    "Every context block that can be drawn has more patches than `minKeep`; the released code would search for ever.",
    (facts: Block & { grid: number; minKeep: number }) => ({
      what: `on a grid of ${facts.grid}×${facts.grid} patches the context block can be as small as ${blockText(facts)}`,
      found: `${facts.height * facts.width} patches`,
      want: `more than masking.minKeep = ${facts.minKeep}`,
      hint: minKeepHint(facts, "context"),
    }),
  ),
  contextTokensTooMany: kind(
    "E312",
    "After the targets are taken out, a context block leaves as many patches as the context is to keep, often enough " +
      "that drawing again finds it.",
    (facts: { tokens: number; context: Block; target: Block; share: number; median: number }) => ({
      what: `a context of ${blockText(facts.context)} with targets of ${blockText(facts.target)} seldom leaves that many patches`,
      found: `${facts.tokens} tokens, left by ${Number((100 * facts.share).toFixed(1))} % of the draws`,
      want: `at most ${facts.median}, which half of the draws leave, or "auto"`,
    }),
  ),
  sceneTooSmall: kind(
    "E313",
    "A crop is never larger than the scene that it is taken from.",
    (facts: { sceneSize: number; imageSize: number }) => ({
      what: "the scenes are smaller than the image that is cropped from them",
      found: `${facts.sceneSize} pixels`,
      want: `at least image.size = ${facts.imageSize}`,
    }),
  ),

  tooManyPatches: kind(
    "E314",
    "Every patch attends to every other: this many could neither be planned nor trained.",
    (facts: { patches: number; most: number }) => ({
      what: "the grid is too fine",
      found: `${facts.patches} patches`,
      want: `at most ${facts.most}`,
    }),
  ),

  fileNameUnfit: kind(
    "E315",
    "An experiment without `name` is called after its file, and folders are called after the experiment.",
    (facts: { fileName: string; want: string }) => ({
      what: "the file name can not be the name of the experiment",
      found: JSON.stringify(facts.fileName),
      want: facts.want,
      hint: "Add a `name` or rename the file.",
    }),
  ),

  imagesUncounted: kind(
    "E319",
    "Without `data.images` the images are counted, so the folder has to be where the spec is compiled.",
    (facts: { folder: string; why: "missing" | "empty" }) => ({
      what: facts.why === "missing" ? "there is no such folder to count the images of" : "there is no image to count",
      found: facts.folder,
      want: `a folder of ${imageEndingsText} files, seen from the spec`,
      hint: "Where the images lie on another machine, say with `data.images` how many there are.",
    }),
  ),
  imagesNotCounted: kind(
    "E335",
    "Without `data.images` the images in shards or parquet files are counted, so those have to be whole and where the spec is compiled.",
    (facts: { why: string }) => ({
      what: "the images cannot be counted",
      found: facts.why.replace(/[.]$/, ""),
      hint: "Where the images lie on another machine, say with `data.images` how many there are.",
    }),
  ),
  heldOutTwice: kind(
    "E320",
    "The probes are judged on the images of `data.validation`, or on a share that `data.holdOut` keeps aside.",
    (facts: { holdOut: number }) => ({
      what: "there are validation images already",
      found: `${facts.holdOut}`,
      want: "either `validation` or `holdOut`",
    }),
  ),
  bestNotMeasured: kind(
    "E323",
    "The best checkpoint is chosen by a metric that is measured while the run goes on.",
    (facts: { metric: string; isProbed: boolean }) => ({
      what: facts.isProbed
        ? "the metric is measured at the end alone, as evaluation.everyEpochs is 0"
        : "nothing is evaluated: that takes labels and held-out images",
      found: JSON.stringify(facts.metric),
      want: facts.isProbed ? 'evaluation.everyEpochs of at least 1, or the metric "loss"' : 'the metric "loss"',
    }),
  ),
  skipsOnOneDevice: kind(
    "E324",
    "A step is taken back on one device alone: several would have to agree on what they find in their states.",
    (facts: { gpus: number }) => ({
      what: "steps are not skipped where devices share a batch",
      found: `hardware.gpus = ${facts.gpus}`,
      want: "0, which stops the run at the first such step, or one device",
    }),
  ),
  nameTaken: kind("E322", "The folders of trainers lie beside files of these names.", (facts: { name: string }) => ({
    what: "a file beside the trainers has this name",
    found: JSON.stringify(facts.name),
    want: "a name that is not train.js or package.json",
  })),
  tooManyNeighbours: kind(
    "E316",
    "The nearest-neighbour probe has at least as many images to choose from as neighbours that vote.",
    (facts: { neighbours: number; images: number }) => ({
      what: "more neighbours vote than there are images",
      found: `${facts.neighbours} neighbours`,
      want: `at most ${facts.images}, the images that the probes learn from`,
    }),
  ),

  engineLacksDevice: kind(
    "E317",
    "Every engine has its own devices.",
    (facts: { engine: string; device: string; devices: readonly string[]; others: readonly string[] }) => ({
      what: `the engine ${facts.engine} does not run on this device`,
      found: JSON.stringify(facts.device),
      want: facts.devices.map((device) => JSON.stringify(device)).join(" or "),
      hint: `For ${JSON.stringify(facts.device)} set hardware.engine to ${facts.others.map((name) => JSON.stringify(name)).join(" or ")}.`,
    }),
  ),
  deviceLacksPrecision: kind(
    "E318",
    "A precision works on a device or is refused; nothing is computed in another one in silence.",
    (facts: { engine: string; device: string; precision: string; precisions: readonly string[] }) => ({
      what: `the engine ${facts.engine} on ${facts.device} does not compute in this precision`,
      found: JSON.stringify(facts.precision),
      want: facts.precisions.map((precision) => JSON.stringify(precision)).join(" or "),
    }),
  ),
  engineSharesNoBatch: kind(
    "E321",
    "Several devices share a batch only on an engine that adds up their gradients.",
    (facts: { engine: string; device: string; gpus: number; others: readonly string[] }) => ({
      what: `the engine ${facts.engine} on ${facts.device} does not share a batch over devices`,
      found: `${facts.gpus} devices`,
      want: "1",
      hint: `These do: ${facts.others.join(", ")}.`,
    }),
  ),
  nothingVisible: kind(
    "E328",
    "Of every image at least one patch is seen, and at least one is masked.",
    (facts: { visible: number; squares: number; unit: number }) => ({
      what: facts.visible < 1 ? "no patch of an image is left to be seen" : "no patch of an image is masked",
      found: `${facts.visible} of ${facts.squares} ${drawn(facts)} that are seen`,
      want: `a ratio that masks 1 to ${facts.squares - 1} of ${facts.squares} ${drawn(facts)}`,
    }),
  ),
  maskUnitUnfit: kind(
    "E338",
    "Squares of patches that are masked as one fill the grid of patches.",
    (facts: { unit: number; side: number; fitting: readonly number[] }) => ({
      what: "the squares that are masked do not fill the grid of patches",
      found: `squares of ${facts.unit}×${facts.unit} patches, and a grid of ${facts.side}×${facts.side}`,
      want: `${facts.fitting.join(" or ")}, which divide ${facts.side}`,
    }),
  ),
  batchWithoutStatistics: kind(
    "E336",
    "A regularizer goes by variances over the images of a micro-batch on one device, and one image has none.",
    (facts: { images: number }) => ({
      what: "leaves too few images for the regularizer, whose statistics are those of one micro-batch on one device",
      found: `${facts.images} image in each`,
      want: "2 or more for each device and micro-batch",
    }),
  ),
  moreTargetBlocks: kind(
    "E329",
    "The blocks whose mean is predicted are some of the encoder's.",
    (facts: { blocks: number; depth: number }) => ({
      what: `the mean of the last ${facts.blocks} blocks of an encoder with ${facts.depth}`,
      found: String(facts.blocks),
      want: `1 to ${facts.depth} blocks`,
    }),
  ),
  engineShardsNoOptimizer: kind(
    "E327",
    "Devices keep the moments of AdamW in shards only on an engine that brings the updated shards together.",
    (facts: { engine: string; device: string; others: readonly string[] }) => ({
      what: `the engine ${facts.engine} on ${facts.device} does not shard the optimizer over devices`,
      found: "true",
      want: "false, where every device keeps all moments",
      hint: `These do: ${facts.others.join(", ")}.`,
    }),
  ),
} as const;
