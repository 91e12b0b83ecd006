/** The folder of a run and the files in it that are no checkpoints. */
import { join } from "node:path";
import { runFolderUnusable, UserError } from "../errors";
import { reasonOf } from "../exceptions";
import type { Experiment } from "../experiment";
import { makeFolder } from "../make-folder";
import { type CsvLog, openCsv } from "../report/csv";
import { writeTextFile } from "../report/files";
import { type JsonlLog, openJsonl } from "../report/jsonl";
import type { Place } from "../step/share";
import { lockRun, type RunLock } from "./lock";

export const runFiles = { csv: "log.csv", jsonl: "log.jsonl", experiment: "experiment.json" } as const;

/** Makes the folder where it is missing; rank 0 locks it for all. Throws runFolderUnusable, or runIsLocked. */
export async function openRunFolder(directory: string, { rank }: Pick<Place, "rank">): Promise<RunLock> {
  try {
    makeFolder(directory);
    return rank === 0 ? lockRun(directory) : { release: () => {} };
  } catch (error) {
    throw error instanceof UserError ? error : runFolderUnusable({ directory, why: reasonOf(error) });
  }
}

export interface RunLogs {
  readonly csv: CsvLog;
  readonly jsonl: JsonlLog;
}

/** Records the constants of the run and opens its logs, cut to the steps that are done. */
export async function openLogs(directory: string, experiment: Experiment, stepsDone: number): Promise<RunLogs> {
  await writeTextFile(join(directory, runFiles.experiment), `${JSON.stringify(experiment, null, 2)}\n`);
  const { stepsPerEpoch } = experiment.optimizer;
  const csv = await openCsv(join(directory, runFiles.csv), { stepsDone, stepsPerEpoch });
  const jsonl = await openJsonl(join(directory, runFiles.jsonl), { stepsDone });
  const orUnusable = <A extends unknown[]>(append: (...args: A) => void) => {
    return (...args: A): void => {
      try {
        append(...args);
      } catch (error) {
        throw runFolderUnusable({ directory, why: reasonOf(error) });
      }
    };
  };
  return { csv: { append: orUnusable(csv.append) }, jsonl: { append: orUnusable(jsonl.append) } };
}
