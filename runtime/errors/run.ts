/** R11x: the folder of a run, and going on with one. */
import { UserError } from "./user-error";

/** Two trainers can not write one run folder. */
export function runIsLocked(was: {
  readonly directory: string;
  /** Null where the lock does not say: it is empty or torn. */
  readonly owner: { readonly pid: number; readonly host: string } | null;
}): UserError {
  const who =
    was.owner === null
      ? "its lock.json, touched within the last ten minutes, does not say which"
      : `process ${was.owner.pid} on ${was.owner.host}`;
  const unless = was.owner === null ? ", delete lock.json if there is none" : "";
  return new UserError(
    "R110",
    `${was.directory} is in use by another trainer (${who}). ` +
      `Wait for it, stop it${unless}, or choose another folder with --run-dir.`,
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
  return new UserError("R113", `There is no checkpoint at ${was.path}.`);
}

/** The folder holds the run of another experiment, whose logs would be overwritten. */
export function runOfAnother(was: { readonly directory: string; readonly checkpoint: string }): UserError {
  return new UserError(
    "R114",
    `${was.directory} holds the run of another experiment (${was.checkpoint}). Choose another folder with --run-dir.`,
  );
}

/** The run folder can not be made or written. */
export function runFolderUnusable(was: { readonly directory: string; readonly why: string }): UserError {
  return new UserError("R115", `${was.directory} cannot be written: ${was.why}. Choose another folder with --run-dir.`);
}

/** A size of an edited step.ts is not what experiment.ts beside it says. */
export function sizesDisagree(was: {
  readonly name: string;
  readonly found: string;
  readonly wanted: number;
  /** The constants of experiment.ts that decide it. */
  readonly field: string;
}): UserError {
  return new UserError(
    "R116",
    `step.ts declares ${was.name} = ${was.found}, but experiment.ts makes it ${was.wanted} (${was.field}). ` +
      "Change the spec and compile it, or give both files one number.",
  );
}
