/** R16x: the replay of a recorded run. */
import { UserError } from "./user-error";

const traceFormat = "docs/parity.md describes the format of a trace.";

/** A recorded run lacks a tensor ([format](../parity.md)). */
export function traceIncomplete(was: { readonly path: string; readonly tensor: string }): UserError {
  return new UserError("R160", `${was.path} is no whole trace: it has no tensor ${was.tensor}. ${traceFormat}`);
}

/** A recorded run is of something that this version can not replay. */
export function traceNotUnderstood(was: { readonly path: string; readonly why: string }): UserError {
  return new UserError("R161", `${was.path} cannot be replayed: ${was.why}. ${traceFormat}`);
}

/** `ijepa replay-step` names a step before which no state of the run is kept, or one that the run does not have. */
export function stepNotReached(was: {
  readonly run: string;
  readonly step: number;
  /** Of the whole run. */
  readonly steps: number;
  /** The first step that can be replayed; null where none can. */
  readonly first: number | null;
  /** Checkpoints from before the step that are damaged. */
  readonly damaged: readonly string[];
}): UserError {
  const { run, step, steps, first, damaged } = was;
  const why = step > steps ? `the run has ${steps} steps` : "no whole checkpoint from before it is kept";
  const broken = damaged.length === 0 ? "" : ` Damaged: ${damaged.join(", ")}.`;
  const can =
    first === null
      ? "No step can: the run has no whole checkpoint."
      : `Steps ${first} to ${steps} can be replayed; checkpoint.keepEveryEpochs keeps more.`;
  return new UserError("R163", `Step ${step} of ${run} cannot be replayed: ${why}.${broken} ${can}`);
}

/** On the way to the step of `ijepa replay-step` the loss is no finite number any more. */
export function stepBeforeNotFinite(was: {
  readonly step: number;
  readonly wrong: number;
  readonly loss: number;
}): UserError {
  return new UserError(
    "R164",
    `The loss of step ${was.wrong} is ${was.loss}, so there is no step ${was.step} to look at. ` +
      `Replay the one that went wrong: --step ${was.wrong}.`,
  );
}

/** `ijepa replay-step` and `ijepa decode` need the spec of the run, which a run folder does not hold. */
export function specOfRunMissing(was: { readonly run: string; readonly looked: readonly string[] }): UserError {
  return new UserError(
    "R165",
    `${was.run} does not hold the spec that it was trained from, and it is not where it was looked for: ` +
      `${was.looked.join(", ")}. Name it with --spec.`,
  );
}

/** The spec that `ijepa replay-step` or `ijepa decode` is given, or finds, is not that of the run: it was edited since. */
export function specOfAnotherRun(was: { readonly run: string; readonly spec: string }): UserError {
  return new UserError(
    "R166",
    `${was.spec} is not the spec that ${was.run} was trained from: what is trained differs. Name that with --spec, and with ` +
      "--set what the command line changed; `ijepa diff` says what differs.",
  );
}

/** The code of a trainer that was edited by hand is not in its run folder, so its steps cannot be repeated. */
export function replayOfEditedCode(was: { readonly run: string }): UserError {
  return new UserError(
    "R167",
    `${was.run} was trained by a trainer that was edited by hand, whose code the run does not hold: its steps cannot be ` +
      "repeated here. A run of a compiled trainer can be replayed.",
  );
}

/** The file that `--out` of `ijepa replay-step` names is there. */
export function traceInTheWay(was: { readonly path: string }): UserError {
  return new UserError("R168", `${was.path} is there already and is not written over. Choose another name with --out.`);
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
