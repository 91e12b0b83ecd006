/** What the signs of life of the other ranks mean. Pure: times and processes are given. */
import { rankFailed, rankGone, rankLate, rankNotSeen, rankSilent, ranksStuck, type UserError } from "../../errors";
import { tryAgainExitCode } from "../../exit";
import type { Beat } from "./beat";

export interface WatchLimits {
  /** A rank that beats no more for so long, and longer than what it is at may take, is taken for dead. */
  readonly silentMs: number;
  /** From the start until the first beat of a rank was seen. */
  readonly startMs: number;
  /** A collective call that all have begun may take so long. */
  readonly collectiveMs: number;
}

export interface Peer {
  readonly rank: number;
  /** Its newest beat since this rank watches; null = it was not seen yet. */
  readonly beat: Beat | null;
  /** When that beat was first seen; the start of the watch where none was. */
  readonly atMs: number;
}

export interface Watching {
  readonly nowMs: number;
  readonly startedMs: number;
  readonly folder: string;
  readonly limits: WatchLimits;
  /** Collective calls that this rank has begun, and since when it waits in one; null = it does not. */
  readonly entered: number;
  readonly waitsSinceMs: number | null;
  /** The peers are all other ranks. */
  readonly seesAll: boolean;
  /** Whether the process of a beat is there; null where this machine cannot know. */
  readonly alive: (beat: Beat) => boolean | null;
}

export interface Fault {
  readonly error: UserError;
  /** The rank that it is about, whose process may still be there; null = none, or it ends by itself. */
  readonly culprit: number | null;
  /** 1 where a rank failed by itself: it would fail again. */
  readonly exitCode: number;
}

/** The first of the ranks that ends the run, and why; null while all is well. */
export function judge(peers: readonly Peer[], watching: Watching): Fault | null {
  // A rank that says why it failed explains those that only vanished.
  const failed = peers.find(({ beat }) => beat?.state === "failed");
  if (failed?.beat != null) {
    const { culprit, exitCode } = failed.beat;
    return { error: rankFailed(failed.beat), culprit, exitCode };
  }
  for (const peer of peers) {
    const error = peer.beat === null ? notSeen(peer, watching) : ofBeat(peer, peer.beat, watching);
    if (error !== null) return { error, culprit: peer.rank, exitCode: tryAgainExitCode };
  }
  const error = watching.seesAll ? stuck(peers, watching) : null;
  return error === null ? null : { error, culprit: null, exitCode: tryAgainExitCode };
}

function notSeen({ rank }: Peer, { nowMs, startedMs, limits, folder }: Watching): UserError | null {
  const waitedMs = nowMs - startedMs;
  return waitedMs < limits.startMs ? null : rankNotSeen({ rank, folder, waitedMs });
}

function ofBeat({ atMs }: Peer, beat: Beat, watching: Watching): UserError | null {
  const { nowMs, limits, entered, waitsSinceMs, alive } = watching;
  if (beat.state === "ended") return null;
  if (alive(beat) === false) return rankGone(beat);
  const silentMs = nowMs - atMs;
  if (silentMs > Math.max(limits.silentMs, beat.limitMs)) return rankSilent({ ...beat, silentMs });
  if (waitsSinceMs === null || beat.entered >= entered) return null;
  const waitedMs = nowMs - waitsSinceMs;
  return waitedMs > beat.limitMs ? rankLate({ ...beat, waitedMs }) : null;
}

function stuck(peers: readonly Peer[], { nowMs, limits, entered, waitsSinceMs }: Watching): UserError | null {
  if (waitsSinceMs === null || nowMs - waitsSinceMs < limits.collectiveMs) return null;
  const all = peers.every(({ beat }) => beat !== null && beat.entered >= entered);
  return all ? ranksStuck({ waitedMs: nowMs - waitsSinceMs }) : null;
}
