/** R12x: training. R18x: what is judged by a metric. */
import { UserError } from "./user-error";

/** The loss, or the norm of the gradient, is no finite number any more: training has diverged. */
export function lossNotFinite(was: {
  readonly what: string;
  readonly value: number;
  readonly step: number;
  readonly lr: number;
  readonly lastCheckpoint: { readonly path: string; readonly step: number } | null;
  /** Names of the images of the batch; log.jsonl has all of them. */
  readonly images: readonly string[];
  /** Steps that the experiment lets be skipped; they were. */
  readonly mostSkipped: number;
}): UserError {
  const shown = was.images.slice(0, 8).join(", ");
  const more = was.images.length > 8 ? ` and ${was.images.length - 8} more, named in log.jsonl` : "";
  const images = shown === "" ? "" : `\nIts images: ${shown}${more}.`;
  const skipped =
    was.mostSkipped === 0 ? "" : ` ${was.mostSkipped} such steps were skipped before, and no more may be.`;
  const back =
    was.lastCheckpoint === null
      ? "No checkpoint was written yet."
      : `The last good checkpoint is ${was.lastCheckpoint.path}, after step ${was.lastCheckpoint.step}; it is untouched.`;
  return new UserError(
    "R120",
    `${was.what} at step ${was.step} is ${was.value}, with learning rate ${was.lr.toPrecision(4)}. Training stopped.${skipped} ` +
      `${back}${images}\nResuming repeats the same steps, so change the experiment: a lower peak learning rate, a longer ` +
      "warmup, or gradient clipping; look also for broken images (all one colour, or a wrong mean and std).",
  );
}

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

/** `checkpoint.keepBest` names a metric that the run does not have. */
export function checkpointMetricUnknown(was: {
  readonly metric: string;
  readonly known: readonly string[];
}): UserError {
  return new UserError(
    "R183",
    `checkpoint.keepBest.metric: this run has no ${was.metric}, so no checkpoint is the best. It has ` +
      `${was.known.join(", ")}. Name one of these and compile again.`,
  );
}
