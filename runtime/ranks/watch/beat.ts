/**
 * The sign of life of a rank: a small file in the run folder, `ranks/<rank>`, which it writes every few seconds and others
 * read. It is overwritten in place and not renamed: on a network disk opening a file asks the server for its newest
 * content, while a folder's list of names may be a minute old.
 */
import { closeSync, constants, mkdirSync, openSync, readFileSync, readlinkSync, rmSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

export interface Beat {
  readonly rank: number;
  readonly host: string;
  readonly pid: number;
  /** The processes that this number counts among; equal where one rank can ask the system for the process of another. */
  readonly machine: string;
  /** Counts up with every beat, so that clocks of hosts need not agree. */
  readonly count: number;
  readonly state: "running" | "failed" | "ended";
  /** Where it failed: why, as a sentence for people. */
  readonly reason: string;
  /** The rank that it gave up for, if it was another one. */
  readonly culprit: number | null;
  /** Where it failed: with which exit code the others end (exit.ts). */
  readonly exitCode: number;
  /** What it is at, e.g. "step 12", and how long that may take, during which it need not beat either. */
  readonly doing: string;
  readonly limitMs: number;
  /** Collective calls that it has begun. */
  readonly entered: number;
}

/**
 * A beat has this many bytes, so that no rest of a longer one stays behind it. The file is never cut short: a rank that is
 * killed between that and writing would leave an empty one, and nobody could say any more which process it was.
 */
const BEAT_BYTES = 8192;
const LONGEST_REASON = 1500;

export interface BeatFolder {
  write(beat: Beat): void;
  /** Null where there is none, or where it is half written just now. */
  read(rank: number): Beat | null;
}

/** Makes the folder, and takes away what an earlier run of this rank has left there. */
export function openBeatFolder(folder: string, rank: number): BeatFolder {
  mkdirSync(folder, { recursive: true });
  rmSync(join(folder, String(rank)), { force: true });
  return {
    write: (beat) => {
      const text = JSON.stringify({
        ...beat,
        reason: beat.reason.slice(0, LONGEST_REASON),
        doing: beat.doing.slice(0, 200),
      });
      const bytes = Buffer.alloc(Math.max(BEAT_BYTES, Buffer.byteLength(text)), " ");
      bytes.write(text);
      // Opened anew each time: closing is what sends it to the server of a network disk.
      const file = openSync(join(folder, String(beat.rank)), constants.O_WRONLY | constants.O_CREAT);
      try {
        writeSync(file, bytes, 0, bytes.length, 0);
      } finally {
        closeSync(file);
      }
    },
    read: openBeatReader(folder),
  };
}

/** Gives the newest beat of a rank; null where there is none, or where it is half written just now. */
export function openBeatReader(folder: string): (rank: number) => Beat | null {
  return (rank) => {
    try {
      const value: unknown = JSON.parse(readFileSync(join(folder, String(rank)), "utf8"));
      return isBeat(value) ? value : null;
    } catch {
      // Not there, not to be read for a moment, or half written; whoever looks again finds it, or misses it for long.
      return null;
    }
  };
}

const fields: { readonly [K in keyof Beat]: "number" | "string" | "number or null" } = {
  rank: "number",
  host: "string",
  pid: "number",
  machine: "string",
  count: "number",
  state: "string",
  reason: "string",
  culprit: "number or null",
  exitCode: "number",
  doing: "string",
  limitMs: "number",
  entered: "number",
};

function isBeat(value: unknown): value is Beat {
  if (typeof value !== "object" || value === null) return false;
  const has = new Map(Object.entries(value));
  return (
    Object.entries(fields).every(([name, type]) => {
      const field = has.get(name);
      return type === "number or null" ? field === null || typeof field === "number" : typeof field === type;
    }) && ["running", "failed", "ended"].includes(String(has.get("state")))
  );
}

/** Boot and namespace of processes on Linux: containers may share a host name and not their process numbers. */
export function thisMachine(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}
