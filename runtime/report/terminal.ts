/** A run outlives whoever looks at it: a terminal that is closed, a reader that has enough, a full disk below a log. */
import { readFileSync, readlinkSync } from "node:fs";
import { isatty } from "node:tty";
import { exitAtOnce } from "../exit";

/**
 * What is printed may get lost from here on, without a word: EPIPE of `node train.js | head`, EIO of a terminal that is
 * gone, ENOSPC of `> train.log`. The run itself is in its own log and checkpoints.
 */
export function outliveTerminal(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  const terminals = [0, 1, 2].filter((stream) => isatty(stream));
  process.on("exit", (code) => {
    // Node gives terminals their old settings back when it ends, and aborts where one of them is gone.
    if (terminals.some((stream) => !isatty(stream))) exitAtOnce(code);
  });
}

/**
 * Node puts SIGHUP back to its default when it starts, so `nohup` alone cannot keep a run alive. GNU's nohup leaves one
 * trace: where standard input was a terminal, it is /dev/null now, open for writing only.
 */
export function isUnderNohup(): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync("/proc/self/fdinfo/0", "utf8"))?.[1];
    return (
      flags !== undefined && (Number.parseInt(flags, 8) & 3) === 1 && readlinkSync("/proc/self/fd/0") === "/dev/null"
    );
  } catch {
    // No /proc: nobody can tell.
    return false;
  }
}
