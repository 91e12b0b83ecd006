/** `node train.js` by itself, for a run of several ranks on this host: starts them through mpirun and stays in front. */
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { availableParallelism, constants } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { mpirunNotStarted } from "../../errors";
import type { Variables } from "../launchers/variables";
import { openBeatReader, thisMachine } from "../watch/beat";
import { forgetEnds, tellingItsEnd } from "./ends";
import { findMpirun, mpirunArguments, withoutSlurm } from "./mpirun";
import { postMortem } from "./post-mortem";

export interface SpawnOptions {
  readonly ranks: number;
  /** Program and arguments of a rank, e.g. [process.execPath, script, ...args]. */
  readonly command: readonly string[];
  readonly variables: Variables;
  /** `<run folder>/ranks`, where the ranks say which processes they are. */
  readonly folder: string;
}

const forwarded = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A terminal and npm both send one Ctrl-C; signals that close are one. */
const sameSignalMs = 300;

/**
 * Gives the exit code: 0 where all ranks ended well, else that of the rank that failed first, as mpirun tells it; 128 + n
 * where signal n ended it. A first signal goes to every rank, which ends its step and saves; a second one ends them at once.
 * Throws R206 to R208 where there is no mpirun.
 */
export async function spawnRanks(options: SpawnOptions): Promise<number> {
  const { ranks, folder } = options;
  const mpirun = findMpirun(options.variables);
  const own = tellingItsEnd(options.command, folder);
  const { variables, command } = withoutSlurm(options.variables, own);
  const isRoot = process.getuid?.() === 0;
  const args = mpirunArguments(mpirun.kind, { ranks, cores: availableParallelism(), isRoot, command });
  for (let rank = 0; rank < ranks; rank++) rmSync(join(folder, String(rank)), { force: true });
  forgetEnds(folder, ranks);
  // A process group of its own: on the Ctrl-C of a terminal mpirun would end the ranks before they have saved.
  const child = spawn(mpirun.path, args, {
    env: { ...variables },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  // MPICH tells on its output, and not on stderr, which process ended.
  const heard = [passOn(child.stdout, process.stdout), passOn(child.stderr, process.stderr)];
  const said = (): string => heard.map((tail) => tail()).join("\n");
  const signals = forwardSignals(() => {
    const own = ranksHere(folder, ranks);
    return { own, all: own.length === ranks, group: child.pid };
  });
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once("error", (cause) => reject(mpirunNotStarted({ path: mpirun.path, why: cause.message, cause })));
      child.once("close", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    });
    if (code !== 0) await endRest(() => ranksHere(folder, ranks));
    const unsaid = code === 0 ? null : postMortem({ folder, ranks, said: said() });
    if (unsaid !== null) process.stderr.write(`${unsaid.code}: ${unsaid.message}\n`);
    return code;
  } finally {
    signals.dispose();
  }
}

/** The end of what came through, for a look at it later. */
function passOn(from: NodeJS.ReadableStream, to: NodeJS.WritableStream): () => string {
  let tail = "";
  from.on("data", (chunk) => {
    to.write(chunk);
    tail = (tail + String(chunk)).slice(-20_000);
  });
  return () => tail;
}

/** The processes of the ranks of this run. */
function ranksHere(folder: string, ranks: number): readonly number[] {
  const read = openBeatReader(folder);
  const machine = thisMachine();
  return Array.from({ length: ranks }, (_, rank) => read(rank)).flatMap((beat) =>
    beat !== null && beat.machine === machine && beat.state === "running" ? [beat.pid] : [],
  );
}

/** So long a rank that mpirun has left behind may say why it ends; so long after that it is waited for. */
const lastWordsMs = 2_000;
const goneMs = 5_000;

/**
 * mpirun of MPICH kills the shell of a rank (ends.ts) and not the rank itself, which then holds the lock of the run until it notices that
 * it is alone. Whoever starts the run again finds it free.
 */
async function endRest(here: () => readonly number[]): Promise<void> {
  const fromMs = performance.now();
  for (let rest = here().filter(isThere); rest.length > 0; rest = rest.filter(isThere)) {
    const waitedMs = performance.now() - fromMs;
    if (waitedMs > lastWordsMs) for (const pid of rest) send(pid, "SIGKILL");
    // What nobody collects stays in the list of processes, in a container whose first process does not.
    if (waitedMs > lastWordsMs + goneMs) return;
    await setTimeout(20);
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

interface Targets {
  readonly own: readonly number[];
  /** Every rank has said which process it is. */
  readonly all: boolean;
  /** mpirun's process group. */
  readonly group: number | undefined;
}

function forwardSignals(targets: () => Targets): { readonly dispose: () => void } {
  let first: number | null = null;
  const listener = (signal: NodeJS.Signals): void => {
    const nowMs = performance.now();
    if (first !== null && nowMs - first < sameSignalMs) return;
    const { own, all, group } = targets();
    const again = first !== null;
    first ??= nowMs;
    if (all && !again) {
      for (const pid of own) send(pid, signal);
      return;
    }
    // Before they have begun there is nothing to save.
    if (again) for (const pid of own) send(pid, "SIGKILL");
    if (group !== undefined) send(group, "SIGTERM");
  };
  for (const signal of forwarded) process.on(signal, listener);
  return {
    dispose: () => {
      for (const signal of forwarded) process.off(signal, listener);
    },
  };
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
