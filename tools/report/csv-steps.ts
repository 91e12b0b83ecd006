/** Steps out of log.csv, for a run whose JSON lines log is gone: the loss and the time of each. */
import type { Experiment } from "../../runtime/experiment";
import { csvHeader } from "../../runtime/report/csv";
import type { StepEvent } from "../../runtime/report/jsonl";

/** A step as far as it was logged: a CSV log has the loss and the time alone. */
export type LoggedStep = Pick<StepEvent, "step" | "loss" | "timeMs"> & Partial<StepEvent>;

/** Rows that are torn are left out. */
export function csvSteps(lines: Iterable<string>, { optimizer }: Pick<Experiment, "optimizer">): readonly LoggedStep[] {
  const steps: LoggedStep[] = [];
  let isHeader = true;
  for (const line of lines) {
    const row = line.replace(/\r$/, "");
    if (isHeader && row !== csvHeader) return [];
    const isRow = !isHeader;
    isHeader = false;
    const cells = row.split(",").map(Number);
    const [epoch = Number.NaN, iteration = Number.NaN, loss = Number.NaN, , , timeMs = Number.NaN] = cells;
    const step = (epoch - 1) * optimizer.stepsPerEpoch + iteration + 1;
    const isWhole = cells.length === csvHeader.split(",").length && [step, loss, timeMs].every(Number.isFinite);
    if (isRow && isWhole) steps.push({ step, epoch, loss, timeMs });
  }
  return steps;
}
