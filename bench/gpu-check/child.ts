/** A program with a time limit, which ends with everything that it has started. */
import { type ChildProcess, spawn } from "node:child_process";

export interface Ended {
  /** Null: it was ended by a signal. */
  readonly code: number | null;
  readonly late: boolean;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

export interface ChildInput {
  readonly command: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly limitSeconds: number;
}

/** Kept of what a program writes. */
const MOST_CHARACTERS = 4_000_000;

/** For what a program that has ended left in its pipes. */
const MOST_MS_TO_READ = 1000;

const running = new Set<ChildProcess>();

/** Ends what runs, for when this process has to go. */
export function killAll(): void {
  for (const child of running) killGroup(child);
}

/** Never throws; a program that cannot be started has ended with code 127. */
export async function runChild({ command, args, folder, env, limitSeconds }: ChildInput): Promise<Ended> {
  const begun = performance.now();
  // A group of its own: compilers start processes that a signal to one would leave behind.
  const child = spawn(command, args, { cwd: folder, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].on("data", (chunk: Buffer) => {
      texts[name] = (texts[name] + chunk.toString()).slice(-MOST_CHARACTERS);
    });
  }
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    killGroup(child);
  }, limitSeconds * 1000);
  const code = await new Promise<number | null>((done) => {
    child.on("error", (error) => {
      texts.stderr += error.message;
      done(127);
    });
    // "close" comes when all is read. A process that got away from the group holds the pipes, so it is not waited for long.
    child.on("close", (status) => done(status));
    child.on("exit", (status) => setTimeout(() => done(status), MOST_MS_TO_READ));
  });
  clearTimeout(timer);
  running.delete(child);
  child.stdout.destroy();
  child.stderr.destroy();
  if (late) killGroup(child);
  return { code, late, ...texts, seconds: (performance.now() - begun) / 1000 };
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
