/**
 * Every error that a user of a generated trainer can meet: one function per message, which says what is wrong, where,
 * what was found and what would be right. Our own mistakes throw Error("internal: …") instead.
 *
 * Codes: R10x engine · R11x run folder and resume · R12x training · R13x data · R14x checkpoint · R15x evaluation.
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

// ── R11x: run folder and resume ────────────────────────────────────────────────────────────────────────────────────

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

export function runExists(was: {
  readonly directory: string;
  readonly step: number;
  readonly steps: number;
}): UserError {
  const next =
    was.step < was.steps
      ? "Add --resume to go on with it, or choose another folder with --run-dir."
      : "It is complete. Choose another folder with --run-dir, or delete this one to train again.";
  return new UserError("R111", `${was.directory} already holds a run, at step ${was.step} of ${was.steps}. ${next}`);
}

export function nothingToResume(was: { readonly directory: string }): UserError {
  return new UserError(
    "R112",
    `--resume: there is no checkpoint in ${was.directory}. Leave --resume away to start the run, ` +
      "or name the folder of the run with --run-dir.",
  );
}

export function checkpointNotFound(was: { readonly path: string }): UserError {
  return new UserError("R113", `--resume: there is no checkpoint at ${was.path}.`);
}

export function otherExperiment(was: {
  readonly path: string;
  readonly found: string;
  readonly wanted: string;
}): UserError {
  return new UserError(
    "R114",
    `${was.path} belongs to another experiment: its spec has the hash ${was.found}, this trainer's has ${was.wanted}. ` +
      "Resume it with the trainer that wrote it, or start a new run with --run-dir.",
  );
}

export function runFolderUnusable(was: { readonly directory: string; readonly why: string }): UserError {
  return new UserError("R115", `${was.directory} cannot be written: ${was.why}. Choose another folder with --run-dir.`);
}

// ── R12x: training ─────────────────────────────────────────────────────────────────────────────────────────────────

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
