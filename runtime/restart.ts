/** Starts this process again with other variables, where a library only reads them at the very beginning. */
import { isMainThread } from "node:worker_threads";
import { loadKoffi } from "./engines/koffi";

const F_SETFD = 2;

/**
 * Where one of the variables is not set, the process becomes a new one with it: same number, same arguments, so signals and
 * whoever waits for it notice nothing. Where that can not be, it goes on without: none of them changes a number.
 */
export function restartWith(variables: Readonly<Record<string, string>>): void {
  const missing = Object.entries(variables).filter(([name]) => process.env[name] === undefined);
  // A channel to a parent would be lost.
  if (missing.length === 0 || process.platform === "win32" || !isMainThread || process.channel !== undefined) return;
  const env = { ...process.env, ...Object.fromEntries(missing) };
  const environment = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  try {
    // Node 22.15 has process.execve, which does the same; Node 20 has not.
    const program = loadKoffi().load(null);
    const fcntl = program.func("int fcntl(int, int, ...)");
    // Node marks its streams as to be closed here.
    for (const stream of [0, 1, 2]) fcntl(stream, F_SETFD, "int", 0);
    const execve = program.func("int execve(const char *, const char **, const char **)");
    execve(
      process.execPath,
      [process.argv0, ...process.execArgv, ...process.argv.slice(1), null],
      [...environment, null],
    );
  } catch {
    // Without koffi, say; whoever needs it will say so.
  }
}
