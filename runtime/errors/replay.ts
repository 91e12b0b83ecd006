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
