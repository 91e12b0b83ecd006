/**
 * Every error that a user of a generated trainer can meet: one function per message, which says what is wrong, where,
 * what was found and what would be right. Our own mistakes throw Error("internal: …") instead. docs/reference/errors.md is
 * generated from this file: the comment above a function says there when its error occurs.
 *
 * Codes: R10x engine · R11x run folder and resume · R12x training · R13x data · R14x checkpoint · R15x evaluation ·
 * R16x replay · R17x weights of another run · R18x early stop.
 */

/** Printed without a stack; the trainer exits with 1. */
export class UserError extends Error {
  override readonly name = "UserError";
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

// ── R10x: engine ───────────────────────────────────────────────────────────────────────────────────────────────────

/** The engine of the experiment is a package, and it is neither beside the trainer nor where it was started. */
export function packageMissing(was: {
  readonly name: string;
  readonly folder: string;
  /** The command that installs it. */
  readonly install: string;
  /** What else has to be known, as whole sentences. */
  readonly note?: string | undefined;
}): UserError {
  return new UserError(
    "R101",
    `The package ${was.name} is not installed: it was looked for beside this program and in ${was.folder}. ` +
      `Install it there:  ${was.install}${was.note === undefined ? "" : `\n${was.note}`}`,
  );
}

/** The package of an engine is there, but does not load. */
export function packageBroken(was: {
  readonly name: string;
  readonly path: string;
  readonly why: string;
  readonly install: string;
  readonly note?: string | undefined;
  readonly cause?: unknown;
}): UserError {
  return new UserError(
    "R102",
    `The package ${was.name} at ${was.path} does not load: ${was.why}. ` +
      `Its native part may be missing or made for another system; install it again here:  ${was.install}` +
      `${was.note === undefined ? "" : `\n${was.note}`}`,
    { cause: was.cause },
  );
}

/** The engine could not make its graph, or could not run it. */
export function engineFailed(was: {
  readonly what: string;
  readonly why: string;
  readonly cause?: unknown;
}): UserError {
  return new UserError(
    "R103",
    `The engine could not ${was.what}: ${was.why}. ` +
      "If memory ran out, use a smaller batch with more accumulation, or fewer data workers.",
    { cause: was.cause },
  );
}

/** There is no GPU that onnxruntime's WebGPU can use, or no driver for it. */
export function noWebgpu(was: { readonly why: string; readonly cause?: unknown }): UserError {
  return new UserError(
    "R104",
    `The device "webgpu" cannot be used: ${was.why}. It needs a GPU with Vulkan on Linux (the loader libvulkan.so.1 and ` +
      "the driver of the card), Metal on macOS, or Direct3D 12 on Windows. SwiftShader computes the same without one, " +
      'slowly (docs/engines.md); to train without a GPU, set hardware.device to "cpu".',
    { cause: was.cause },
  );
}

// ── R11x: run folder and resume ────────────────────────────────────────────────────────────────────────────────────

/** Two trainers can not write one run folder. */
export function runIsLocked(was: {
  readonly directory: string;
  readonly pid: number;
  readonly host: string;
}): UserError {
  return new UserError(
    "R110",
    `${was.directory} is in use by another trainer (process ${was.pid} on ${was.host}). ` +
      "Wait for it, stop it, or choose another folder with --run-dir.",
  );
}

/** The folder holds a run already, and nothing said that it goes on. Nothing is trained over it in silence. */
export function runExists(was: {
  readonly directory: string;
  /** Null where the checkpoints are there but cannot be read. */
  readonly step: number | null;
  readonly steps: number;
}): UserError {
  const next =
    was.step === null || was.step < was.steps
      ? "Add --resume to go on with it, or choose another folder with --run-dir."
      : "It is complete. Choose another folder with --run-dir, or delete this one to train again.";
  const where = was.step === null ? "with damaged checkpoints" : `at step ${was.step} of ${was.steps}`;
  return new UserError("R111", `${was.directory} already holds a run, ${where}. ${next}`);
}

/** `--resume` without a path looks for the newest checkpoint of the run folder, and there is none. */
export function nothingToResume(was: { readonly directory: string }): UserError {
  return new UserError(
    "R112",
    `--resume: there is no checkpoint in ${was.directory}. Leave --resume away to start the run, ` +
      "or name the folder of the run with --run-dir.",
  );
}

/** `--resume` names a file that is not there. */
export function checkpointNotFound(was: { readonly path: string }): UserError {
  return new UserError("R113", `--resume: there is no checkpoint at ${was.path}.`);
}

/** The run folder can not be made or written. */
export function runFolderUnusable(was: { readonly directory: string; readonly why: string }): UserError {
  return new UserError("R115", `${was.directory} cannot be written: ${was.why}. Choose another folder with --run-dir.`);
}

// ── R12x: training ─────────────────────────────────────────────────────────────────────────────────────────────────

/** The loss, or the norm of the gradient, is no finite number any more: training has diverged. */
export function lossNotFinite(was: {
  readonly what: string;
  readonly value: number;
  readonly step: number;
  readonly lr: number;
  readonly lastCheckpoint: { readonly path: string; readonly step: number } | null;
}): UserError {
  const back =
    was.lastCheckpoint === null
      ? "No checkpoint was written yet."
      : `The last good checkpoint is ${was.lastCheckpoint.path}, after step ${was.lastCheckpoint.step}; it is untouched.`;
  return new UserError(
    "R120",
    `${was.what} at step ${was.step} is ${was.value}, with learning rate ${was.lr.toPrecision(4)}. Training stopped. ` +
      `${back}\nResuming repeats the same steps, so change the experiment: a lower peak learning rate, a longer ` +
      "warmup, or gradient clipping; look also for broken images (all one colour, or a wrong mean and std).",
  );
}

// ── R13x: data ─────────────────────────────────────────────────────────────────────────────────────────────────────

const imageFiles = "Images are files named .jpg, .jpeg, .png or .webp.";

/** A folder of images that the experiment names is not there. */
export function dataFolderMissing(was: {
  readonly folder: string;
  /** What the experiment says, before it is joined to the root. */
  readonly given: string;
  readonly what: "train" | "validation";
}): UserError {
  return new UserError(
    "R130",
    `There is no folder ${was.folder}, which should hold the ${was.what} images (the experiment says "${was.given}"). ` +
      "Put the images there, or name the folder that the path starts from with --data.",
  );
}

/** The system does not let a folder of images be read. */
export function dataFolderUnreadable(was: { readonly folder: string; readonly why: string }): UserError {
  return new UserError("R131", `The folder ${was.folder} cannot be read: ${was.why}.`);
}

/** A folder of images has no file that is one. */
export function dataFolderEmpty(was: { readonly folder: string; readonly otherFiles: number }): UserError {
  const found = was.otherFiles === 0 ? "It holds no files." : `It holds ${was.otherFiles} files, but none is an image.`;
  return new UserError("R132", `There is no image in ${was.folder} or below it. ${found} ${imageFiles}`);
}

/** Epochs and schedules were compiled for more training images than the folder has. */
export function tooFewImages(was: {
  readonly folder: string;
  readonly found: number;
  readonly wanted: number;
}): UserError {
  return new UserError(
    "R133",
    `${was.folder} holds ${was.found} images, but the experiment was compiled for ${was.wanted}: its epochs and ` +
      `schedules count on them. Add the rest, or set the number of training images to ${was.found} and compile again.`,
  );
}

/** Images with labels lie in one folder for each class, and one of them does not. */
export function imagesOutsideClasses(was: { readonly folder: string; readonly example: string }): UserError {
  return new UserError(
    "R134",
    `${was.folder} should hold one folder for each class, but ${was.example} lies in none of them. ` +
      "Move it into the folder of its class, or set the labels of the data to false.",
  );
}

/** The validation images have a class that the training images do not have. */
export function unknownClass(was: {
  readonly folder: string;
  readonly found: string;
  readonly trainFolder: string;
  readonly classes: number;
}): UserError {
  return new UserError(
    "R135",
    `${was.folder} has a class "${was.found}", which is none of the ${was.classes} classes of ${was.trainFolder}. ` +
      "The folders of both must have the same names.",
  );
}

/** An evaluation on held-out images was asked for, and the experiment names none. */
export function noHeldOutImages(): UserError {
  return new UserError(
    "R136",
    "The experiment names no folder of validation images, so nothing can be evaluated on held-out images. " +
      "Name one in its data, or evaluate on the train split.",
  );
}

/** Many images in a row can not be decoded. A single one is replaced by the next. */
export function imagesUnreadable(was: {
  readonly file: string;
  readonly why: string;
  readonly following: number;
}): UserError {
  return new UserError(
    "R137",
    `${was.file} cannot be decoded (${was.why}), and neither can the ${was.following} images after it. ` +
      "A single broken image would be replaced by the next one; so many look like a damaged folder.",
  );
}

/** A worker thread that prepares images ended before its work was done. */
export function imageWorkerFailed(was: { readonly why: string; readonly cause?: unknown }): UserError {
  return new UserError(
    "R138",
    `A thread that prepares images ended: ${was.why}. If memory ran out, use fewer of them with --workers.`,
    { cause: was.cause },
  );
}

// ── R14x: checkpoint ───────────────────────────────────────────────────────────────────────────────────────────────

/** A file of weights is cut off, or was changed. */
export function damagedFile(was: { readonly path: string; readonly why: string }): UserError {
  return new UserError(
    "R140",
    `${was.path} is not a whole safetensors file: ${was.why}. ` +
      "It was cut off or changed after it was written; use another copy of it.",
  );
}

/** The system does not let a file of weights be read. */
export function fileNotReadable(was: {
  readonly path: string;
  readonly why: string;
  readonly cause?: unknown;
}): UserError {
  return new UserError("R141", `${was.path} cannot be read: ${was.why}.`, { cause: was.cause });
}

/** A checkpoint can not be written, most often for want of space. */
export function fileNotWritten(was: {
  readonly path: string;
  readonly bytes: number;
  readonly why: string;
  readonly cause?: unknown;
}): UserError {
  return new UserError(
    "R142",
    `${was.path} (${(was.bytes / 1e6).toFixed(1)} MB) cannot be written: ${was.why}. ` +
      "What was there before is untouched; make room, or name another folder with --run-dir.",
    { cause: was.cause },
  );
}

/** A checkpoint lacks a weight that this trainer has. */
export function tensorMissing(was: {
  readonly path: string;
  readonly tensor: string;
  readonly missing: number;
  readonly wanted: number;
}): UserError {
  return new UserError(
    "R143",
    `${was.path} has no tensor ${was.tensor}` +
      (was.missing > 1 ? `, and lacks ${was.missing} of the ${was.wanted} that this trainer needs. ` : ". ") +
      "It is not a checkpoint of this model; resume from one that this trainer wrote.",
  );
}

/** A weight of a checkpoint has another shape or type than in this trainer. */
export function tensorUnfit(was: {
  readonly path: string;
  readonly tensor: string;
  readonly found: string;
  readonly wanted: string;
}): UserError {
  return new UserError(
    "R144",
    `${was.path}: the tensor ${was.tensor} is ${was.found}, but ${was.wanted} is needed. ` +
      "The file belongs to a model of another size, or was changed by another program.",
  );
}

/** A safetensors file lacks what a trainer writes into its metadata. */
export function notACheckpoint(was: { readonly path: string; readonly why: string }): UserError {
  return new UserError(
    "R145",
    `${was.path} is a safetensors file, but not a checkpoint of a trainer: ${was.why}. ` +
      "Resume from a file that this trainer wrote.",
  );
}

/** One resumes only with the experiment that wrote the checkpoint. The message lists what differs. */
export function checkpointOfOtherSpec(was: {
  readonly path: string;
  readonly found: string;
  readonly wanted: string;
  /** One per line, e.g. `encoder.dim: 96 in the checkpoint, 192 here`; empty where the file does not tell. */
  readonly differences: readonly string[];
}): UserError {
  const shown = was.differences.slice(0, 8).map((line) => `\n  ${line}`);
  const more = was.differences.length > 8 ? `\n  and ${was.differences.length - 8} more` : "";
  const what =
    shown.length > 0
      ? `What differs:${shown.join("")}${more}\n`
      : "No constant that it records differs, so it is something in the code, such as the loss. ";
  return new UserError(
    "R146",
    `${was.path} was written for another experiment (spec ${was.found.slice(0, 12)}, this trainer: ` +
      `${was.wanted.slice(0, 12)}). ${what}Resume it with the trainer that wrote it, or start a new run with --run-dir.`,
  );
}

/** The weights are no finite numbers, and were not written over the last good checkpoint. */
export function stateNotFinite(was: {
  readonly path: string;
  readonly tensor: string;
  readonly step: number;
}): UserError {
  return new UserError(
    "R147",
    `After step ${was.step} the tensor ${was.tensor} holds NaN or infinity, so ${was.path} was not written and the ` +
      "checkpoint before it is kept. Lower the peak learning rate or lengthen the warmup.",
  );
}

/** The run folder has checkpoints, and none of them can be read. */
export function everyCheckpointDamaged(was: {
  readonly directory: string;
  readonly reasons: readonly string[];
}): UserError {
  return new UserError(
    "R148",
    `None of the ${was.reasons.length} checkpoints in ${was.directory} can be resumed:` +
      `${was.reasons.map((reason) => `\n  ${reason}`).join("")}\n` +
      "Restore one from a backup, or start a new run with --run-dir.",
  );
}

/** A PyTorch checkpoint holds something else than state dicts, or is damaged. Nothing in it is ever run. */
export function torchFileRefused(was: {
  readonly path: string;
  readonly why: string;
  readonly cause?: unknown;
}): UserError {
  return new UserError(
    "R149",
    `${was.path} cannot be read as a PyTorch checkpoint: ${was.why}. Only state dicts are read, and nothing in them is run. ` +
      "In PyTorch, save the state dicts of encoder, predictor and target_encoder in one dict with torch.save.",
    { cause: was.cause },
  );
}

/** `--init-from` names a file without the weights of an encoder. */
export function noEncoderInFile(was: { readonly path: string }): UserError {
  return new UserError(
    "R170",
    `--init-from: ${was.path} has neither the weights of an encoder nor of a target encoder. ` +
      "Their names begin with encoder. or target_encoder., or lie in dicts of these names.",
  );
}

/** `--init-from` names a file of a model with another shape. */
export function weightUnfit(was: {
  readonly path: string;
  readonly weight: string;
  readonly found: readonly number[] | null;
  readonly wanted: readonly number[];
}): UserError {
  const found = was.found === null ? "is not there" : `is [${was.found.join(", ")}]`;
  return new UserError(
    "R171",
    `--init-from: ${was.path} is of another model: its ${was.weight} ${found}, but [${was.wanted.join(", ")}] is needed. ` +
      "Set width, depth, patch size and predictor of the experiment to those of the file, and compile again.",
  );
}

// ── R15x: evaluation ───────────────────────────────────────────────────────────────────────────────────────────────

/** The features of an encoder are no finite numbers, so there is nothing to evaluate. */
export function featuresNotFinite(was: { readonly name: string; readonly split: string }): UserError {
  return new UserError(
    "R150",
    `The ${was.split} features of the ${was.name} hold NaN or infinity, so they cannot be evaluated. ` +
      "The weights have diverged; go back to an earlier checkpoint or lower the peak learning rate.",
  );
}

/** An evaluation needs a few labelled images in each of its splits. */
export function splitTooSmall(was: {
  readonly split: string;
  readonly images: number;
  readonly least: number;
}): UserError {
  return new UserError(
    "R151",
    `The ${was.split} split has ${was.images} labelled images; the evaluation needs at least ${was.least}. ` +
      "Add images, or leave the evaluation out of the experiment.",
  );
}

/** The splits of an evaluation have other tasks or classes than the training images. */
export function splitsDisagree(was: {
  readonly split: string;
  readonly found: string;
  readonly wanted: string;
}): UserError {
  return new UserError(
    "R152",
    `The ${was.split} split has the tasks ${was.found}, but the train split has ${was.wanted}. ` +
      "Every split needs the same tasks and classes.",
  );
}

// ── R16x: replay of a recorded run ─────────────────────────────────────────────────────────────────────────────────

const traceFormat = "docs/parity.md describes the format of a trace.";

/** A recorded run lacks a tensor ([format](../parity.md)). */
export function traceIncomplete(was: { readonly path: string; readonly tensor: string }): UserError {
  return new UserError("R160", `${was.path} is no whole trace: it has no tensor ${was.tensor}. ${traceFormat}`);
}

/** A recorded run is of something that this version can not replay. */
export function traceNotUnderstood(was: { readonly path: string; readonly why: string }): UserError {
  return new UserError("R161", `${was.path} cannot be replayed: ${was.why}. ${traceFormat}`);
}

/** A tensor of a recorded run has another shape or type than its sizes ask for. */
export function traceUnfit(was: {
  readonly path: string;
  readonly tensor: string;
  readonly found: string;
  readonly wanted: string;
}): UserError {
  return new UserError(
    "R162",
    `${was.path}: the tensor ${was.tensor} is ${was.found}, but the sizes of this trace ask for ${was.wanted}. ${traceFormat}`,
  );
}

// ── R18x: early stop ───────────────────────────────────────────────────────────────────────────────────────────────

/** `--floor` names an epoch that the run does not have, or its last one. */
export function floorOutsideRun(was: {
  readonly flag: string;
  readonly epoch: number;
  readonly epochs: number;
}): UserError {
  return new UserError(
    "R180",
    `--floor ${was.flag}: the run has ${was.epochs} epochs, so nothing is left to stop after epoch ${was.epoch}. ` +
      `Name an epoch from 1 to ${was.epochs - 1}.`,
  );
}

/** `--floor` names an epoch at whose end its metric is not measured. */
export function floorNotMeasured(was: {
  readonly flag: string;
  readonly epoch: number;
  readonly everyEpochs: number;
}): UserError {
  const found =
    was.everyEpochs === 0
      ? "the experiment evaluates only at its end (evaluation.everyEpochs is 0)"
      : `the experiment evaluates every ${was.everyEpochs} epochs`;
  return new UserError(
    "R181",
    `--floor ${was.flag}: ${found}, so there is no such number after epoch ${was.epoch}. ` +
      "Set evaluation.everyEpochs so that it divides the epoch and compile again, or take another epoch, or the loss.",
  );
}

/** `--floor` names a metric that the run does not have. */
export function floorMetricUnknown(was: { readonly flag: string; readonly known: readonly string[] }): UserError {
  return new UserError("R182", `--floor ${was.flag}: this run has no such metric. It has ${was.known.join(", ")}.`);
}
