/**
 * Reads what a run of the quickstart came to.
 *
 *   tsx scripts/quickstart-run.ts record [folder]   keeps its result in docs/quickstart.json, from which README's table is made
 *   tsx scripts/quickstart-run.ts verify [folder]   exits 1 unless the run is complete and learnt
 */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import type { EvaluationReport, ReportRow } from "../runtime/evaluate/evaluation-report";
import type { LogEvent } from "../runtime/report/jsonl";

export interface QuickstartResult {
  readonly specHash: string;
  readonly generatorVersion: string;
  readonly engine: string;
  readonly node: string;
  readonly date: string;
  readonly cores: number;
  readonly steps: number;
  /** From the first line of the log to the last, evaluation included. */
  readonly wallMs: number;
  /** Mean loss of every epoch. */
  readonly epochLosses: readonly number[];
  readonly report: EvaluationReport;
}

/** Throws where the run is not complete. */
export function readRun(folder: string): QuickstartResult {
  // The log is written by this project's own trainer.
  const events = readFileSync(join(folder, "log.jsonl"), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as LogEvent);
  const start = events.find((event) => event.event === "start");
  const end = events.findLast((event) => event.event === "end");
  const evaluation = events.findLast((event) => event.event === "evaluation");
  if (start === undefined || end?.reason !== "complete" || evaluation === undefined) {
    throw new Error(`the run in ${folder} is not complete: ${end?.reason ?? "its log has no end"}`);
  }
  return {
    specHash: start.specHash,
    generatorVersion: start.generatorVersion,
    engine: start.engine,
    node: start.node,
    date: end.time.slice(0, 10),
    cores: availableParallelism(),
    steps: end.step,
    wallMs: Date.parse(end.time) - Date.parse(start.time),
    epochLosses: events.flatMap((event) => (event.event === "epoch" ? [event.loss] : [])),
    report: evaluation.report,
  };
}

/** What the quickstart promises: counting objects by a linear probe beats an untrained encoder and the pixels. */
export function failures({ report }: QuickstartResult): readonly string[] {
  const task = report.tasks.findIndex(({ name }) => name === "count");
  const accuracy = (row: ReportRow | undefined): number => row?.tasks[task]?.linearProbe ?? Number.NaN;
  const [trained, ...baselines] = report.rows;
  if (!(accuracy(trained) > 0) || baselines.length < 2) return ["the evaluation has no count task or no baselines"];
  return baselines
    .filter((row) => !(accuracy(trained) > accuracy(row)))
    .map(
      (row) =>
        `count by linear probe: ${percent(accuracy(trained))} % is not above ${percent(accuracy(row))} % of ${row.representation}`,
    );
}

const percent = (share: number): string => (100 * share).toFixed(1);

const [, script, verb, folder = "runs/quickstart"] = argv;
if (script === fileURLToPath(import.meta.url)) {
  const result = readRun(folder);
  if (verb === "record") {
    writeFileSync(new URL("../docs/quickstart.json", import.meta.url), `${JSON.stringify(result, null, 2)}\n`);
    console.log(`wrote docs/quickstart.json from ${folder}`);
  } else if (verb === "verify") {
    const wrong = failures(result);
    for (const line of wrong) console.error(line);
    if (wrong.length === 0) console.log(`${folder}: ${result.steps} steps, and it learnt`);
    process.exitCode = wrong.length === 0 ? 0 : 1;
  } else {
    console.error("record or verify?");
    process.exitCode = 2;
  }
}
