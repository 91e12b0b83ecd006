/** `ijepa report RUN…`: one page that shows what runs have come to. */
import { relative } from "node:path";
import { errors, exitCode } from "../compiler/diagnostics/catalogue";
import { unplaced } from "../compiler/diagnostics/diagnostic";
import { UserError } from "../runtime/errors";
import { type Reported, reportRuns } from "../tools/report/report";
import { printDiagnostics } from "./print";

export interface ReportOptions {
  readonly out?: string;
}

/** Resolves to the exit code: 0 written, 2 could not. */
export async function report(runs: readonly string[], { out = undefined }: ReportOptions): Promise<number> {
  if (runs.length === 0) return told({ ok: false, diagnostics: [unplaced(null, errors.nothingToReport())] });
  try {
    return told(await reportRuns({ runs, out: out ?? null }));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`${error.code}: ${error.message}\n`);
    return 2;
  }
}

function told(reported: Reported): number {
  const diagnostics = reported.ok ? reported.warnings : reported.diagnostics;
  printDiagnostics(diagnostics);
  if (reported.ok) {
    const file = relative(".", reported.file) || ".";
    process.stdout.write(`${file} (${(reported.bytes / 1e6).toFixed(2)} MB): open it in a browser\n`);
  }
  return exitCode(diagnostics);
}
