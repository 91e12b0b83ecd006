/** Where the files of a sweep lie. Everything is below two folders, so that a shared disk is all that machines need. */
import { join } from "node:path";
import type { Sweep, SweepPoint } from "./sweep";

export interface SweepFolders {
  /** Trainers: `<out>/<sweep>/<point>/`. */
  readonly out: string;
  /** Runs: `<runs>/<sweep>/<point>/`. */
  readonly runs: string;
}

/** Folder of all runs of a sweep: results, and the files of the executors. */
export const sweepFolder = ({ runs }: SweepFolders, sweep: Pick<Sweep, "name">): string => join(runs, sweep.name);

/** `train.js` and its sources. */
export const trainerFolder = ({ out }: SweepFolders, sweep: Pick<Sweep, "name">, point: Pick<SweepPoint, "name">) =>
  join(out, sweep.name, point.name);

/** The trainer's --run-dir: its checkpoints and logs, point.json, and output.log with all it printed. */
export const runFolder = ({ runs }: SweepFolders, sweep: Pick<Sweep, "name">, point: Pick<SweepPoint, "name">) =>
  join(runs, sweep.name, point.name);

export const sweepFiles = { point: "point.json", output: "output.log" } as const;
