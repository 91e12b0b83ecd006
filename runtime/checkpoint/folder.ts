/**
 * The checkpoints of a run folder: `<name>-latest.safetensors`, replaced at every save, and copies that are kept, e.g.
 * `<name>-ep50.safetensors` after 50 epochs and `<name>-best.safetensors`.
 */
import { randomBytes } from "node:crypto";
import { copyFile, link, readdir, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { everyCheckpointDamaged, fileNotReadable, fileNotWritten, UserError } from "../errors";
import { hasCode, reasonOf } from "../exceptions";
import { type CheckpointMetadata, type LoadedCheckpoint, loadCheckpoint, readCheckpointMetadata } from "./checkpoint";

export function latestPath(directory: string, name: string): string {
  return join(directory, `${name}-latest.safetensors`);
}

export function keptPath(directory: string, name: string, epoch: number): string {
  return join(directory, `${name}-ep${epoch}.safetensors`);
}

export function bestPath(directory: string, name: string): string {
  return join(directory, `${name}-best.safetensors`);
}

/** Keeps what is now the latest checkpoint under another name, and gives that; it replaces what had the name. */
export async function keepLatest(what: {
  readonly directory: string;
  readonly name: string;
  /** The epoch whose number it gets. */
  readonly as: number | "best";
}): Promise<string> {
  const from = latestPath(what.directory, what.name);
  const path = what.as === "best" ? bestPath(what.directory, what.name) : keptPath(what.directory, what.name, what.as);
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString("hex")}.tmp`);
  try {
    // A second name for the same bytes costs nothing, and is safe: the latest file is replaced, never changed in place.
    await link(from, temporary).catch(() => copyFile(from, temporary));
    await rename(temporary, path);
    // Renaming one name of a file onto another of the same file does nothing, and leaves both.
    await unlink(temporary).catch(() => undefined);
  } catch (cause) {
    await unlink(temporary).catch(() => undefined);
    throw fileNotWritten({ path, bytes: 0, why: reasonOf(cause), cause });
  }
  return path;
}

/** Epochs that have a numbered copy, ascending. */
export async function numberedCopies(directory: string, name: string): Promise<readonly number[]> {
  const epochs = (await readdir(directory)).map((file) => epochOf(file, name));
  return epochs.filter((epoch) => typeof epoch === "number").sort((a, b) => a - b);
}

/** A copy that can not be removed costs space alone: the run goes on. */
export async function removeCopies(directory: string, name: string, epochs: readonly number[]): Promise<void> {
  for (const epoch of epochs) await unlink(keptPath(directory, name, epoch)).catch(() => undefined);
}

export interface FoundCheckpoint {
  readonly path: string;
  /** Of a kept copy; null for the latest. */
  readonly keptEpoch: number | "best" | null;
  /** Null where the file is damaged or is no checkpoint: `problem` says why. */
  readonly metadata: CheckpointMetadata | null;
  readonly problem: string | null;
}

/** Files with the latest checkpoints of experiments of other names. An absent folder has none. */
export async function latestOfOthers(directory: string, name: string): Promise<readonly string[]> {
  const own = basename(latestPath("", name));
  return (await filesIn(directory)).filter((file) => file.endsWith("-latest.safetensors") && file !== own);
}

async function filesIn(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch((cause: unknown): string[] => {
    if (hasCode(cause, "ENOENT")) return [];
    throw fileNotReadable({ path: directory, why: reasonOf(cause), cause });
  });
  return names.sort();
}

/** All checkpoints of a run, the newest (by step) first, damaged ones last. An absent folder has none. */
export async function listCheckpoints(directory: string, name: string): Promise<readonly FoundCheckpoint[]> {
  const found: FoundCheckpoint[] = [];
  for (const file of await filesIn(directory)) {
    const keptEpoch = epochOf(file, name);
    if (keptEpoch === undefined) continue;
    const path = join(directory, file);
    try {
      found.push({ path, keptEpoch, metadata: await readCheckpointMetadata(path), problem: null });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      found.push({ path, keptEpoch, metadata: null, problem: error.message });
    }
  }
  const stepOf = ({ metadata }: FoundCheckpoint): number => metadata?.progress.step ?? -1;
  const rank = ({ keptEpoch }: FoundCheckpoint): number =>
    keptEpoch === "best" ? 0 : (keptEpoch ?? Number.POSITIVE_INFINITY);
  return found.sort((a, b) => stepOf(b) - stepOf(a) || (rank(b) > rank(a) ? 1 : -1));
}

/** Null for the latest, "best" or the epoch of a kept copy, undefined for any other file. */
function epochOf(file: string, name: string): number | "best" | null | undefined {
  if (file === basename(latestPath("", name))) return null;
  if (file === basename(bestPath("", name))) return "best";
  const digits = file.startsWith(`${name}-ep`) ? file.slice(`${name}-ep`.length) : "";
  const match = /^(\d{1,9})\.safetensors$/.exec(digits);
  return match === null ? undefined : Number(match[1]);
}

/**
 * Loads the newest checkpoint of a folder that is whole; a damaged one is skipped with a warning. Null where there is
 * none at all. Throws where all are damaged, or the newest whole one belongs to another spec: a run never starts again
 * silently.
 */
export async function resumeNewest(
  what: Omit<Parameters<typeof loadCheckpoint>[0], "path"> & {
    readonly directory: string;
    readonly name: string;
    readonly warn: (message: string) => void;
  },
): Promise<(LoadedCheckpoint & { readonly path: string }) | null> {
  const { directory, name, warn, ...rest } = what;
  const found = await listCheckpoints(directory, name);
  const reasons: string[] = [];
  const skip = (reason: string): void => {
    reasons.push(reason);
    warn(`${reason} Skipped; an older checkpoint is tried.`);
  };
  // A damaged latest file is worth a word even where another one serves.
  for (const { problem } of found) if (problem !== null) skip(problem);
  for (const { path, metadata } of found) {
    if (metadata === null) continue;
    try {
      return { ...(await loadCheckpoint({ ...rest, path })), path };
    } catch (error) {
      if (!(error instanceof UserError) || !damageCodes.has(error.code)) throw error;
      skip(error.message);
    }
  }
  if (reasons.length > 0) throw everyCheckpointDamaged({ directory, reasons });
  return null;
}

/** Errors of the file itself (runtime/errors.ts): damaged, not readable. */
const damageCodes: ReadonlySet<string> = new Set(["R140", "R141"]);
