/** Commands to print for a person to run again. */
import { relative } from "node:path";

/** The command that goes on with this run: the same file and flags, with --resume. */
export function resumeCommand(what: {
  readonly script: string;
  readonly args: readonly string[];
  readonly cwd: string;
}): string {
  const script = relative(what.cwd, what.script);
  // A script far above the current folder reads better with its whole path.
  const file = script.startsWith("../../") || script === "" ? what.script : script;
  return ["node", file, ...withoutFlags(what.args, ["--resume", "--steps", "--init-from"]), "--resume"]
    .map(quoted)
    .join(" ");
}

/** Leaves flags away, with their values. */
export function withoutFlags(args: readonly string[], flags: readonly string[]): readonly string[] {
  const kept: string[] = [];
  let dropsValue = false;
  for (const arg of args) {
    if (dropsValue && !arg.startsWith("--")) {
      dropsValue = false;
      continue;
    }
    dropsValue = flags.includes(arg);
    if (!dropsValue && !flags.some((flag) => arg.startsWith(`${flag}=`))) kept.push(arg);
  }
  return kept;
}

/** For a POSIX shell. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
