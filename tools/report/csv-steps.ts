/** Steps out of log.csv, for a run whose JSON lines log is gone: the loss and the time of each. */
import type { Experiment } from "../../runtime/experiment";
import { csvHeader } from "../../runtime/report/csv";
import type { StepEvent } from "../../runtime/report/jsonl";

/** A step as far as it was logged: a CSV log has the loss and the time alone. */
export type LoggedStep = Pick<StepEvent, "step" | "loss" | "timeMs"> & Partial<StepEvent>;

/** Rows that are torn are left out. */
export function csvSteps(text: string, { optimizer }: Pick<Experiment, "optimizer">): readonly LoggedStep[] {
  const [header, ...rows] = text.split(/\r?\n/);
  if (header !== csvHeader) return [];
  return rows.flatMap((row) => {
    const cells = row.split(",").map(Number);
    const [epoch = Number.NaN, iteration = Number.NaN, loss = Number.NaN, , , timeMs = Number.NaN] = cells;
    const step = (epoch - 1) * optimizer.stepsPerEpoch + iteration + 1;
    const isWhole = cells.length === csvHeader.split(",").length && [step, loss, timeMs].every(Number.isFinite);
    return isWhole ? [{ step, epoch, loss, timeMs }] : [];
  });
}
