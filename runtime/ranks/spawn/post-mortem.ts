/**
 * What ended the run, where no rank could say so: mpirun kills all others when one is gone, that of MPICH at once. Signs of life in the run
 * folder tell what each rank was at, and what their shells have left behind which of them was the first to go (ends.ts).
 */
import { rankFailed, rankGone, someRankGone, type UserError } from "../../errors";
import { tryAgainExitCode } from "../../exit";
import { openBeatReader } from "../watch/beat";
import { endsOf, firstToGo } from "./ends";

export function postMortem(of: {
  readonly folder: string;
  readonly ranks: number;
  /** The end of what mpirun and the ranks wrote. */
  readonly said: string;
}): UserError | null {
  if (of.said.includes("The run ends because")) return null;
  const read = openBeatReader(of.folder);
  const beats = Array.from({ length: of.ranks }, (_, rank) => read(rank)).filter((beat) => beat !== null);
  const failed = beats.filter(({ state }) => state === "failed");
  const byItself = failed.find(({ exitCode }) => exitCode !== tryAgainExitCode);
  if (byItself !== undefined) return rankFailed(byItself);
  // MPICH's transport, which reads the memory of a process on the same host.
  const unread = Number(/process_vm_\w+\(pid=(\d+) .*No such process/.exec(of.said)?.[1] ?? Number.NaN);
  const vanished = beats.find((beat) => beat.pid === unread && beat.state === "running");
  if (vanished !== undefined) return rankGone(vanished);
  const first = firstToGo(endsOf(of.folder, of.ranks));
  const gone = beats.find(({ rank, state }) => rank === first?.rank && state === "running");
  if (gone !== undefined) return rankGone(gone);
  // It has lost another one, of which no more is known.
  const [other] = failed;
  if (other !== undefined) return rankFailed(other);
  const pid = Number(/PID (\d+) RUNNING AT/.exec(of.said)?.[1] ?? Number.NaN);
  const named = beats.find((beat) => beat.pid === pid && beat.state === "running");
  return named === undefined ? null : someRankGone(named);
}
