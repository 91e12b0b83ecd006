/** Commands to print for a person to run again. */
import { relative } from "node:path";

/** The command that goes on with this run: the same file and flags, with --resume. */
export function resumeCommand(what: {
  readonly script: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The words before the flags of the trainer, where `node` alone would not start it again. */
  readonly starter: readonly string[] | null;
}): string {
  const script = relative(what.cwd, what.script);
  // A script far above the current folder reads better with its whole path.
  const file = script.startsWith("../../") || script === "" ? what.script : script;
  const start = what.starter ?? ["node", file];
  return [...start, ...withoutFlags(what.args, ["--resume", "--steps", "--init-from"]), "--resume"]
    .map(quoted)
    .join(" ");
}

/** Says which command has started the trainer, as a JSON list of words: one that brings packages which `node` would not find. */
export const STARTER_VARIABLE = "IJEPA_STARTER";

/** Null where nothing, or nothing legible, was said. */
export function starterOf(variables: Readonly<Record<string, string | undefined>>): readonly string[] | null {
  try {
    const words: unknown = JSON.parse(variables[STARTER_VARIABLE] ?? "null");
    return Array.isArray(words) && words.every((word) => typeof word === "string") ? words : null;
  } catch {
    return null;
  }
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
