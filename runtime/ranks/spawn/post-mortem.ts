/**
 * What ended the run, where no rank could say so: MPICH's mpirun kills all others as soon as one is gone. It tells the
 * number of a process, and the signs of life in the run folder tell whose it was; but that is not always the first one.
 */
import { rankFailed, someRankGone, type UserError } from "../../errors";
import { openBeatReader } from "../watch/beat";

export function postMortem(of: {
  readonly folder: string;
  readonly ranks: number;
  /** The end of what mpirun and the ranks wrote. */
  readonly said: string;
}): UserError | null {
  if (of.said.includes("The run ends because")) return null;
  const read = openBeatReader(of.folder);
  const beats = Array.from({ length: of.ranks }, (_, rank) => read(rank)).filter((beat) => beat !== null);
  const failed = beats.find(({ state }) => state === "failed");
  if (failed !== undefined) return rankFailed(failed);
  const pid = Number(/PID (\d+) RUNNING AT/.exec(of.said)?.[1] ?? Number.NaN);
  const gone = beats.find((beat) => beat.pid === pid && beat.state === "running");
  return gone === undefined ? null : someRankGone(gone);
}
