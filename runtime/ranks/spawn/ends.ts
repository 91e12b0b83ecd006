/**
 * How each process of a run ended, where its launcher does not tell. MPICH's mpirun kills all ranks as soon as it sees that one
 * is gone, and those that MPI connects to that one crash even before; Open MPI's gives them a second, which is too little for one
 * that is just compiling: nobody is left who could say which was the first. So each runs below a shell, which outlives it for a
 * moment and writes down its exit code. To mpirun the rank is gone only when the shell is: whatever mpirun does to the others
 * comes after.
 */
import { readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

const fileOf = (folder: string, rank: number): string => join(folder, `${rank}.end`);

/** A rank's command, for either mpirun. Signals that reach the shell too must not end it. */
export function tellingItsEnd(command: readonly string[], folder: string): readonly string[] {
  const script =
    'trap : HUP INT TERM USR1; "$@"; code=$?; { echo "$code" > "$0/${PMI_RANK:-$OMPI_COMM_WORLD_RANK}.end"; } 2>/dev/null; exit "$code"';
  return ["/bin/sh", "-c", script, folder, ...command];
}

export interface RankEnd {
  readonly rank: number;
  /** 128 + n where signal n ended it. */
  readonly exitCode: number;
}

/** In the order in which they ended, of those whose shell could say so. */
export function endsOf(folder: string, ranks: number): readonly RankEnd[] {
  const found = Array.from({ length: ranks }, (_, rank) => {
    try {
      const file = fileOf(folder, rank);
      const text = readFileSync(file, "utf8").trim();
      return /^\d+$/.test(text) ? [{ rank, exitCode: Number(text), at: statSync(file, { bigint: true }).mtimeNs }] : [];
    } catch {
      return [];
    }
  }).flat();
  return found.sort((a, b) => (a.at < b.at ? -1 : 1)).map(({ rank, exitCode }) => ({ rank, exitCode }));
}

export function forgetEnds(folder: string, ranks: number): void {
  for (let rank = 0; rank < ranks; rank++) rmSync(fileOf(folder, rank), { force: true });
}

/** SIGABRT, SIGBUS, SIGSEGV: so do ranks end in the middle of an exchange with one that is gone. */
const crashes: ReadonlySet<number> = new Set([134, 135, 139]);

/** The one that took the others with it; undefined where nothing is known. */
export function firstToGo(ends: readonly RankEnd[]): RankEnd | undefined {
  const bad = ends.filter(({ exitCode }) => exitCode !== 0);
  return bad.find(({ exitCode }) => !crashes.has(exitCode)) ?? bad[0];
}
