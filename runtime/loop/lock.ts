/**
 * Keeps two trainers from writing one run folder. A lock outlives a trainer that was killed; the next trainer takes it
 * over where it can prove that the other is dead: its process is gone, the scheduler began the job again, or nobody
 * touched the lock for ten minutes.
 */
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { runIsLocked } from "../errors";
import { hasCode } from "../exceptions";
import { touch } from "../touch";

export const lockName = "lock.json";

export interface RunLock {
  release(): void;
}

/** Whoever wrote a lock. */
export interface LockOwner {
  readonly pid: number;
  readonly host: string;
  /** When the process began, as the system counts it; tells a process from a later one with the same number. */
  readonly began: string | null;
  /** The Slurm job that it is, or null. */
  readonly slurm: SlurmJob | null;
}

interface SlurmJob {
  /** Cluster, job and array task; stays the same when the job is requeued. */
  readonly job: string;
  /** How often it was begun anew. */
  readonly restarts: number;
}

/** A lock that was not touched for this long, on a machine that cannot be asked, is taken for dead. */
const deadAfterMs = 10 * 60_000;
const touchEveryMs = 30_000;

/** Throws a UserError where another trainer that still runs holds the folder; a lock of a dead one is taken over. */
export function lockRun(directory: string): RunLock {
  const path = join(directory, lockName);
  const slurm = slurmJob(process.env);
  const mine: LockOwner = { pid: process.pid, host: hostname(), began: processBegan(process.pid), slurm };
  const text = `${JSON.stringify(mine)}\n`;
  const beside = `${path}.${process.pid}.tmp`;
  writeFileSync(beside, text);
  try {
    while (!linked({ from: beside, to: path })) {
      const found = readText(path);
      if (found === null) continue;
      const owner = ownerOf(found);
      // A container that started again gives the same numbers; this process has no lock yet.
      const isOwnNumber = owner.host === mine.host && owner.pid === mine.pid;
      if (!isOwnNumber && !isBegunAnew(owner, mine) && isAlive(owner, path))
        throw runIsLocked({ directory, owner: known(owner) });
      removeDead(path, found);
    }
  } finally {
    rmSync(beside, { force: true });
  }
  removeLeftovers(directory);
  const timer = setInterval(() => touch(path), touchEveryMs);
  timer.unref();
  return {
    release: () => {
      clearInterval(timer);
      if (readText(path) === text) rmSync(path, { force: true });
    },
  };
}

/** The trainer that writes this run folder now, as far as anybody can tell from this machine; null where there is none. */
export function lockOwner(directory: string): LockOwner | null {
  const path = join(directory, lockName);
  const found = readText(path);
  if (found === null) return null;
  const owner = ownerOf(found);
  return isAlive(owner, path) ? owner : null;
}

/**
 * Slurm begins a job anew only after it has ended the old processes, or has given up their node; a node that comes back
 * ends them before it takes work. So the same job with more restarts is the proof, whatever machine the lock names.
 */
function isBegunAnew({ slurm: before }: LockOwner, { slurm: now }: LockOwner): boolean {
  return before !== null && now !== null && before.job === now.job && before.restarts < now.restarts;
}

/** What Slurm tells a job of itself; SLURM_RESTART_COUNT is missing the first time. */
function slurmJob(environment: NodeJS.ProcessEnv): SlurmJob | null {
  const { SLURM_JOB_ID, SLURM_ARRAY_JOB_ID, SLURM_ARRAY_TASK_ID, SLURM_CLUSTER_NAME, SLURM_RESTART_COUNT } =
    environment;
  if (SLURM_JOB_ID === undefined) return null;
  const id = SLURM_ARRAY_TASK_ID === undefined ? SLURM_JOB_ID : `${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}`;
  const restarts = Number(SLURM_RESTART_COUNT ?? 0);
  return { job: `${SLURM_CLUSTER_NAME ?? ""}/${id}`, restarts: Number.isSafeInteger(restarts) ? restarts : 0 };
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

/** Files that a killed trainer had begun to write: with the lock held, nobody else writes here. */
function removeLeftovers(directory: string): void {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    // A lock in the making may be that of a trainer that begins at this moment.
    const isLock = name.startsWith(`${lockName}.`) && /\.(tmp|dead)$/.test(name);
    const isFile = name.startsWith(".") && name.endsWith(".tmp");
    if (isFile || (isLock && !isAlive(ownerOf(readText(path) ?? ""), path))) rmSync(path, { force: true });
  }
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

function isAlive(owner: LockOwner, path: string): boolean {
  if (owner.host !== hostname()) {
    return Date.now() - modifiedMs(path) < deadAfterMs;
  }
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

/** Null where a lock does not say whose it is. */
export const known = (owner: LockOwner): LockOwner | null => (owner === nobody ? null : owner);

/** Whoever wrote a lock that is empty or torn, as a full disk leaves it. */
const nobody: LockOwner = { pid: 0, host: "an unknown machine", began: null, slurm: null };

function ownerOf(text: string): LockOwner {
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
      const slurm = "slurm" in owner ? slurmOf(owner.slurm) : null;
      return { pid: owner.pid, host: owner.host, began: owner.began, slurm };
    }
  } catch {
    // Not JSON: nobody knows whose it is, so only its age decides.
  }
  return nobody;
}

function slurmOf(value: unknown): SlurmJob | null {
  if (typeof value !== "object" || value === null || !("job" in value && "restarts" in value)) return null;
  const { job, restarts } = value;
  return typeof job === "string" && typeof restarts === "number" ? { job, restarts } : null;
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
