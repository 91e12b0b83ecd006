/** Writes an end that comes in the middle to the log too: people who look after many runs read logs, not terminals. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors";
import { hasCode, messageOf } from "../exceptions";
import type { Experiment } from "../experiment";
import { appendEvent, type EndEvent } from "../report/jsonl";
import { runFiles } from "./run-folder";
import type { StopSignal } from "./signals";

/** Errors by which a trainer refuses a folder: the run in it is not its own, and its log is left alone. */
const refusals: ReadonlySet<string> = new Set(["R110", "R111", "R112", "R113", "R114", "R146", "R172"]);

/** Call with the folder locked. */
export function logFailure(what: { readonly directory: string; readonly error: unknown; readonly step: number }): void {
  const { directory, error, step } = what;
  const code = error instanceof UserError ? error.code : null;
  if (code !== null && refusals.has(code)) return;
  const message = messageOf(error);
  const why = code === null ? { message } : { code, message };
  append(directory, { event: "end", step, reason: "failed", ...why, time: new Date().toISOString() });
}

/** A signal ends the process where the loop cannot: in the start, in an evaluation, or a second time. With the folder locked. */
export function logSignal(what: {
  readonly directory: string;
  readonly experiment: Experiment;
  readonly signal: StopSignal;
  readonly step: number;
}): void {
  const { directory, experiment, signal, step } = what;
  if (!isOwnFolder(directory, experiment)) return;
  append(directory, { event: "end", step, reason: signal, time: new Date().toISOString() });
}

function append(directory: string, event: EndEvent): void {
  try {
    appendEvent(join(directory, runFiles.jsonl), event);
  } catch {
    // The disk may be what failed; the end itself is printed all the same.
  }
}

/** False where the run in the folder is another one: nobody may have looked before the signal came. */
function isOwnFolder(directory: string, { specHash }: Experiment): boolean {
  try {
    const recorded: unknown = JSON.parse(readFileSync(join(directory, runFiles.experiment), "utf8"));
    return (
      typeof recorded === "object" && recorded !== null && "specHash" in recorded && recorded.specHash === specHash
    );
  } catch (error) {
    return hasCode(error, "ENOENT");
  }
}
