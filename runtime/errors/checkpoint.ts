/** R14x: checkpoints; R172 as well. R17x: weights of another run. */
import { UserError } from "./user-error";

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
  /** What names another folder; left out: --run-dir. */
  readonly by?: string;
}): UserError {
  return new UserError(
    "R142",
    `${was.path} (${(was.bytes / 1e6).toFixed(1)} MB) cannot be written: ${was.why}. ` +
      `What was there before is untouched; make room, or name another folder with ${was.by ?? "--run-dir"}.`,
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
      "Their names begin with encoder. or target_encoder., or lie in dicts of these names, or are those of timm or of Hugging Face's vision transformers.",
  );
}

/** `--init-from` names a file of a model with another shape. */
export function weightUnfit(was: {
  readonly path: string;
  /** What the file says that was trained, or null. */
  readonly objective: string | null;
  readonly weight: string;
  readonly found: readonly number[] | null;
  readonly wanted: readonly number[];
}): UserError {
  const found = was.found === null ? "is not there" : `is [${was.found.join(", ")}]`;
  const of = was.objective === null ? "" : `, trained by objective ${was.objective}`;
  const isToken = was.found === null && /(^|\.)cls_token$/.test(was.weight);
  const mend = isToken
    ? "Its encoder has no class token: set encoder.classToken of the experiment to false"
    : "Set width, depth, patch size and the network behind the encoder of the experiment to those of the file";
  return new UserError(
    "R171",
    `--init-from: ${was.path} is of another model${of}: its ${was.weight} ${found}, but [${was.wanted.join(", ")}] is needed. ` +
      `${mend}, and compile again.`,
  );
}

/** A trainer that was edited by hand resumes what the same code wrote; any other resumes what no edited code wrote. */
export function checkpointOfOtherCode(was: {
  readonly path: string;
  /** sha256 of the edited code, null of a trainer as it was compiled. */
  readonly found: string | null;
  readonly wanted: string | null;
}): UserError {
  const codeText = (code: string | null) => (code === null ? "code as compiled" : `edited code ${code.slice(0, 12)}`);
  return new UserError(
    "R172",
    `${was.path} was written by ${codeText(was.found)}, this trainer is ${codeText(was.wanted)}. ` +
      "Resume it with the trainer that wrote it, begin a new run from its weights with --init-from, " +
      "or start a new run with --run-dir.",
  );
}
