/** The command that trains a point: the same on every machine, and however often it is started. */
import { join } from "node:path";
import { floorText } from "../../runtime/report/floor";
import type { PointTask } from "./executors/executor";
import { runFolder, type SweepFolders, trainerFolder } from "./folders";
import type { Sweep, SweepPoint } from "./sweep";

export interface TaskOptions {
  readonly folders: SweepFolders;
  /** Threads of the engine; null leaves them to the experiment. */
  readonly threads: number | null;
  /** Further flags of the trainer, as the person gave them. */
  readonly flags: readonly string[];
}

export function taskOf(sweep: Sweep, point: SweepPoint, { folders, threads, flags }: TaskOptions): PointTask {
  const runDirectory = runFolder(folders, sweep, point);
  const script = join(trainerFolder(folders, sweep, point), "train.js");
  const command = ["node", script, "--run-dir", runDirectory, "--resume=auto", "--no-progress"];
  const engine = threads === null ? [] : ["--threads", String(threads)];
  return { point, runDirectory, command: [...command, ...engine, ...floorFlags(sweep, point), ...flags] };
}

/** A run that is shorter than others of the sweep has nothing left to stop at the later floors. */
function floorFlags({ stop, metric }: Sweep, { spec }: SweepPoint): readonly string[] {
  if (stop?.rule !== "floor") return [];
  return stop.floors
    .filter(({ epoch }) => epoch < spec.optimization.epochs)
    .flatMap(({ epoch, value }) => ["--floor", floorText({ metric: metric.name, goal: metric.goal, epoch, value })]);
}
