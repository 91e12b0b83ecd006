/** Writes the failure of a run to its log too: people who look after many runs read logs, not terminals. */
import { join } from "node:path";
import { UserError } from "../errors";
import { messageOf } from "../exceptions";
import { appendEvent } from "../report/jsonl";
import { runFiles } from "./run-folder";

/** Errors by which a trainer refuses a folder: the run in it is not its own, and its log is left alone. */
const refusals: ReadonlySet<string> = new Set(["R110", "R111", "R112", "R113", "R146"]);

/** Call with the folder locked. */
export function logFailure(what: { readonly directory: string; readonly error: unknown; readonly step: number }): void {
  const { directory, error, step } = what;
  const code = error instanceof UserError ? error.code : null;
  if (code !== null && refusals.has(code)) return;
  const message = messageOf(error);
  const time = new Date().toISOString();
  const why = code === null ? { message } : { code, message };
  try {
    appendEvent(join(directory, runFiles.jsonl), { event: "end", step, reason: "failed", ...why, time });
  } catch {
    // The disk may be what failed; the error itself is printed all the same.
  }
}
