/** What whole runs of one spec came to, seed by seed; scripts/seeds-run.ts writes it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { EvaluationReport, ReportRow } from "../runtime/evaluate/evaluation-report";
import { root } from "./regions";
import { type Sample, sampleOf } from "./statistics";

export interface SeedRun {
  readonly seed: number;
  /** Mean of the last 512 steps. */
  readonly loss: number;
  readonly report: EvaluationReport;
}

export interface SeedsRecord {
  /** Relative to the root of the project. */
  readonly spec: string;
  /** sha256 of the canonical spec, as the file has it. */
  readonly specHash: string;
  readonly engine: string;
  readonly node: string;
  readonly date: string;
  readonly runs: readonly SeedRun[];
}

export function seedsRecord(path: string): SeedsRecord {
  // Written by scripts/seeds-run.ts, from this type.
  return JSON.parse(readFileSync(path, "utf8")) as SeedsRecord;
}

/** Of a file in docs/. */
export const seedsInDocs = (file: string): SeedsRecord => seedsRecord(join(root, "docs", file));

export type Measure = "linearProbe" | "knn";

/** An accuracy in percent over the seeds; `row` is the place of the representation in the report. */
export function accuracies(runs: readonly SeedRun[], row: number, task: string, measure: Measure): Sample {
  return sampleOf(runs.map(({ report }) => percentOf(report, row, task, measure)));
}

/** One accuracy in percent; throws where a report lacks it. */
export function percentOf(report: EvaluationReport, row: number, task: string, measure: Measure): number {
  const place = report.tasks.findIndex(({ name }) => name === task);
  return 100 * present(present(report.rows[row], `row ${row}`).tasks[place], task)[measure];
}

/** RankMe of the target encoder over the seeds. */
export function rankMes(runs: readonly SeedRun[]): Sample {
  const encoder = ({ report }: SeedRun): ReportRow => present(report.rows[0], "an encoder");
  return sampleOf(runs.map((run) => present(encoder(run).collapse, "RankMe").rankMe));
}

function present<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new Error(`a report of the record lacks ${what}`);
  return value;
}
