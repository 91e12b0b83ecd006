/** Exceptions that are no fault of this program, as diagnostics. */
import { relative } from "node:path";
import { CommanderError } from "commander";
import { errors } from "../compiler/diagnostics/catalogue";
import { type Diagnostic, unplaced } from "../compiler/diagnostics/diagnostic";
import { FolderTaken } from "../compiler/output/others";
import { flagNames } from "../runtime/cli";
import { reasonOf } from "../runtime/exceptions";
import { ExecutorRefused } from "../tools/sweep/executors/refused";

/** Why a command line could not be carried out; null where only this program is to blame. `args` are its words. */
export function diagnosticOf(cause: unknown, args: readonly string[] = []): Diagnostic | null {
  if (cause instanceof CommanderError) return unplaced(null, usageProblem(cause, args));
  if (cause instanceof FolderTaken) return unplaced(relative(".", cause.folder) || ".", errors.folderTaken(cause));
  if (cause instanceof ExecutorRefused) return unplaced(null, cause.problem);
  const refused = systemError(cause);
  return refused === null ? null : unplaced(refused.path, errors.systemRefused(refused));
}

const ASK_FOR_HELP = "`ijepa --help` lists what there is.";

/** The parser of the command line gives a sentence, and on the next line what was probably meant. */
function usageProblem({ message, code }: CommanderError, [command, topic]: readonly string[]) {
  // `ijepa help TOPIC`, where TOPIC is no command: commander prints the help of all, and has no sentence.
  if (code === "commander.help") return errors.badUsage({ what: `unknown command '${topic}'`, hint: ASK_FOR_HELP });
  const [what = "", ...hints] = message.replace(/^error: /, "").split("\n");
  const [, option = ""] = /unknown option '(--[\w-]+)'/.exec(what) ?? [];
  if (
    code === "commander.unknownOption" &&
    (command === "run" || command === "sweep") &&
    flagNames().includes(option)
  ) {
    return errors.badUsage({ what, hint: `It is a flag of the trainer: those follow after --, as in -- ${option} …` });
  }
  const hint = hints.map((line) => line.replace(/^\((.*)\)$/, "$1")).join(" ");
  return errors.badUsage({ what, hint: hint || ASK_FOR_HELP });
}

/** Node's errors of system calls on files name the call, its path and a code such as ENOSPC. */
function systemError(cause: unknown): { readonly path: string; readonly call: string; readonly reason: string } | null {
  if (!(cause instanceof Error) || !("code" in cause && "path" in cause && "syscall" in cause)) return null;
  const { path, syscall } = cause;
  return typeof path === "string" ? { path, call: String(syscall), reason: reasonOf(cause) } : null;
}
