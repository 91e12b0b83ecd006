/** Keeps two trainers from writing one run folder. */
import { linkSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { runIsLocked } from "../errors";

export const lockName = "lock.json";

export interface RunLock {
  release(): void;
}

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** When the process began, as the system counts it; tells a process from a later one with the same number. */
  readonly began: string | null;
}

/** A lock that was not touched for this long, on a machine that cannot be asked, is taken for dead. */
const deadAfterMs = 10 * 60_000;
const touchEveryMs = 30_000;

/** Throws a UserError where another trainer that still runs holds the folder; a lock of a dead one is taken over. */
export function lockRun(directory: string): RunLock {
  const path = join(directory, lockName);
  const mine: Owner = { pid: process.pid, host: hostname(), began: processBegan(process.pid) };
  const text = `${JSON.stringify(mine)}\n`;
  const beside = `${path}.${process.pid}.tmp`;
  writeFileSync(beside, text);
  try {
    while (!linked({ from: beside, to: path })) {
      const found = readText(path);
      if (found === null) continue;
      const owner = ownerOf(found);
      if (isAlive(owner, path)) throw runIsLocked({ directory, pid: owner.pid, host: owner.host });
      removeDead(path, found);
    }
  } finally {
    rmSync(beside, { force: true });
  }
  const timer = setInterval(() => touch(path), touchEveryMs);
  timer.unref();
  return {
    release: () => {
      clearInterval(timer);
      if (readText(path) === text) rmSync(path, { force: true });
    },
  };
}

/** Moves the lock aside before it is deleted: if another trainer took it over meanwhile, it is put back. */
function removeDead(path: string, found: string): void {
  const aside = `${path}.${process.pid}.dead`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return;
    throw error;
  }
  if (readText(aside) === found) rmSync(aside, { force: true });
  else renameSync(aside, path);
}

/** A link fails where the file exists, so of several trainers exactly one gets it, with its content whole. */
function linked(file: { readonly from: string; readonly to: string }): boolean {
  try {
    linkSync(file.from, file.to);
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    if (!hasCode(error, "EPERM", "ENOTSUP", "ENOSYS", "EOPNOTSUPP")) throw error;
  }
  // File systems without links (exFAT, some network mounts): exclusive creation is the next best.
  try {
    writeFileSync(file.to, readFileSync(file.from), { flag: "wx" });
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  }
}

function isAlive(owner: Owner, path: string): boolean {
  if (owner.host !== hostname()) {
    return Date.now() - modifiedMs(path) < deadAfterMs;
  }
  if (owner.pid === process.pid) return false; // a container that started again gives the same numbers
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if (hasCode(error, "ESRCH")) return false;
  }
  return owner.began === null || processBegan(owner.pid) === owner.began;
}

/** Start time of a process in clock ticks since boot (Linux), else null. */
function processBegan(pid: number): string | null {
  const stat = readText(`/proc/${pid}/stat`);
  // The name in parentheses may hold spaces; field 22 of the line is number 20 of those after it.
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
}

function ownerOf(text: string): Owner {
  try {
    const owner: unknown = JSON.parse(text);
    if (
      typeof owner === "object" &&
      owner !== null &&
      "pid" in owner &&
      typeof owner.pid === "number" &&
      "host" in owner &&
      typeof owner.host === "string" &&
      "began" in owner &&
      (owner.began === null || typeof owner.began === "string")
    ) {
      return { pid: owner.pid, host: owner.host, began: owner.began };
    }
  } catch {
    // Not JSON: nobody knows whose it is, so only its age decides.
  }
  return { pid: 0, host: "an unknown machine", began: null };
}

function touch(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // The folder may be gone for a moment (network mounts); the next touch tries again.
  }
}

function modifiedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Null where there is no such file. */
function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT", "ESRCH")) return null;
    throw error;
  }
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.some((code) => code === error.code);
}
