/** The CSV log with the reference's columns (reference.md §10): one row per optimizer step. */
import { appendFileSync, existsSync } from "node:fs";
import { fileLines, writeLines } from "./lines";

export const csvHeader = "epoch,itr,loss,mask-A,mask-B,time (ms)";

export interface CsvRow {
  /** From 1. */
  readonly epoch: number;
  /** Step within the epoch, from 0. */
  readonly iteration: number;
  readonly loss: number;
  /** Context tokens, and tokens of one target block; means where micro-batches differ. */
  readonly contextTokens: number;
  readonly targetTokens: number;
  /** Time of the step without the wait for images. */
  readonly timeMs: number;
}

export function csvLine(row: CsvRow): string {
  const lengths = `${row.contextTokens.toFixed(5)},${row.targetTokens.toFixed(5)}`;
  return `${row.epoch},${row.iteration},${row.loss.toFixed(5)},${lengths},${Math.trunc(row.timeMs)}`;
}

export interface CsvLog {
  append(row: CsvRow): void;
}

/** Opens the log for a run that goes on after `stepsDone` steps: rows of later steps, and torn ones, are cut off. */
export async function openCsv(
  path: string,
  at: { readonly stepsDone: number; readonly stepsPerEpoch: number },
): Promise<CsvLog> {
  const isKept = (row: string): boolean => {
    const [epoch, iteration] = row.split(",").map(Number);
    if (row.split(",").length !== csvHeader.split(",").length) return false;
    return ((epoch ?? Number.NaN) - 1) * at.stepsPerEpoch + (iteration ?? Number.NaN) < at.stepsDone;
  };
  const goesOn = at.stepsDone > 0 && existsSync(path);
  // The header that is there is no row by isKept: it has no numbers.
  await writeLines(path, headed(goesOn ? fileLines(path) : [], isKept));
  return { append: (row) => appendFileSync(path, `${csvLine(row)}\n`) };
}

function* headed(rows: Iterable<string>, isKept: (row: string) => boolean): Generator<string, void, void> {
  yield csvHeader;
  for (const row of rows) if (isKept(row)) yield row;
}
