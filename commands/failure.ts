/** Exceptions that are no fault of this program, as diagnostics. */
import { CommanderError } from "commander";
import { errors } from "../compiler/diagnostics/catalogue";
import { type Diagnostic, unplaced } from "../compiler/diagnostics/diagnostic";
import { reasonOf } from "../runtime/exceptions";
import { ExecutorRefused } from "../tools/sweep/executors/refused";

/** Why a command line could not be carried out; null where only this program is to blame. */
export function diagnosticOf(cause: unknown): Diagnostic | null {
  if (cause instanceof CommanderError) return unplaced(null, usageProblem(cause));
  if (cause instanceof ExecutorRefused) return unplaced(null, cause.problem);
  const refused = systemError(cause);
  return refused === null ? null : unplaced(refused.path, errors.systemRefused(refused));
}

/** The parser of the command line gives a sentence, and on the next line what was probably meant. */
function usageProblem({ message }: CommanderError) {
  const [what = "", ...hints] = message.replace(/^error: /, "").split("\n");
  const hint = hints.map((line) => line.replace(/^\((.*)\)$/, "$1")).join(" ");
  return errors.badUsage({ what, hint: hint || "`ijepa --help` lists what there is." });
}

/** Node's errors of system calls on files name the call, its path and a code such as ENOSPC. */
function systemError(cause: unknown): { readonly path: string; readonly call: string; readonly reason: string } | null {
  if (!(cause instanceof Error) || !("code" in cause && "path" in cause && "syscall" in cause)) return null;
  const { path, syscall } = cause;
  return typeof path === "string" ? { path, call: String(syscall), reason: reasonOf(cause) } : null;
}
