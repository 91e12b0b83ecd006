/** `ijepa runs [FOLDER|RUN…]`: lists the runs below a folder, shows one, compares several. */
import { errors, exitCode } from "../compiler/diagnostics/catalogue";
import { type Diagnostic, unplaced } from "../compiler/diagnostics/diagnostic";
import { diagnosticJson } from "../compiler/diagnostics/problem-text";
import type { LogEvent } from "../runtime/report/jsonl";
import { findRuns, labelled, type RunRecord, readRun } from "../tools/report/runs";
import { comparisonText, runsText, runText } from "../tools/report/terminal";
import { hasColour, printDiagnostics } from "./print";

export interface RunsOptions {
  readonly json?: boolean;
}

/** Resolves to the exit code: 0 shown, 2 there is none. A run that cannot be read is told of beside the others. */
export async function runs(named: readonly string[], { json = false }: RunsOptions): Promise<number> {
  const folders = named.length === 0 ? ["runs"] : named;
  const found = folders.map((folder) => ({ folder, runs: findRuns(folder) }));
  const empty = found.filter((one) => one.runs.length === 0).map(({ folder }) => unplaced(folder, errors.noRuns()));
  const read = found.flatMap((one) => one.runs).map((folder) => ({ folder, read: readRun(folder) }));
  const unread = read.flatMap(({ folder, read: one }): readonly Diagnostic[] =>
    one.ok ? [] : [unplaced(folder, one.problem)],
  );
  const records = labelled(read.flatMap(({ read: one }) => (one.ok ? [one.run] : [])));
  const [first] = records;
  const problems = [...empty, ...unread];
  if (first === undefined || empty.length > 0) {
    printDiagnostics(problems);
    return exitCode(problems);
  }
  const colour = hasColour(process.stdout);
  const areNamed = found.every(({ folder, runs: [only, second] }) => only === folder && second === undefined);
  const text = (): string => {
    if (!areNamed) return runsText(records, { colour });
    return records.length === 1 ? runText(first, { colour }) : comparisonText(records, { colour });
  };
  process.stdout.write(json ? `${jsonOf(records, problems)}\n` : `${text()}\n`);
  if (!json) printDiagnostics(problems);
  // Of a list, what can be read is the answer.
  return areNamed ? exitCode(problems) : 0;
}

/** Newest first, as `ijepa evaluate --json` gives them. */
const probesJson = (events: readonly LogEvent[]): readonly object[] =>
  events.flatMap((event) => (event.event === "probes" ? [event.results] : [])).reverse();

function jsonOf(records: readonly RunRecord[], problems: readonly Diagnostic[]): string {
  const list = records.map(({ folder, label, experiment, state, message, cost, evaluation, events }) => ({
    folder,
    label,
    state,
    message,
    cost,
    evaluation,
    probes: probesJson(events),
    experiment,
  }));
  return JSON.stringify({ runs: list, diagnostics: problems.map(diagnosticJson) }, null, 2);
}
