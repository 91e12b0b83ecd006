/** `ijepa diff A B`: what changes from one experiment to another, in meaning and in generated code. */
import { errors } from "../compiler/diagnostics/catalogue";
import { unplaced } from "../compiler/diagnostics/diagnostic";
import { diffSides } from "../tools/diff/diff";
import { jsonReport, markdownReport, textReport } from "../tools/diff/diff-text";
import { readSide } from "../tools/diff/sources";
import { hasColour, printDiagnostics } from "./print";
import type { SetOption } from "./set-option";

export interface DiffOptions extends SetOption {
  readonly stat?: boolean;
  readonly json?: boolean;
  readonly md?: boolean;
  readonly exitCode?: boolean;
  /** TFLOP/s that one device sustains, for the hours. */
  readonly rate: string;
}

/** Exit code of every failure: 1 is taken by "they differ". */
const TROUBLE = 2;

function usageProblem({ json, md, rate }: DiffOptions) {
  if (json === true && md === true) {
    return errors.badUsage({ what: "--json and --md exclude each other", hint: "Choose one of them." });
  }
  if (Number(rate) > 0 && Number.isFinite(Number(rate))) return null;
  return errors.badUsage({
    what: "--rate takes TFLOP/s of one device, a number above 0",
    hint: "For example --rate 100.",
  });
}

/** Resolves to the exit code: 0 compared, 1 they differ and --exit-code asks for it, 2 could not compare. */
export async function diff(a: string, b: string, options: DiffOptions): Promise<number> {
  const { stat = false, json = false, md = false, exitCode = false, set } = options;
  const usage = usageProblem(options);
  if (usage !== null) {
    printDiagnostics([unplaced(null, usage)]);
    return TROUBLE;
  }
  const [was, is] = [readSide(a), readSide(b, set)];
  if (!was.ok || !is.ok) {
    printDiagnostics([was, is].flatMap((read) => (read.ok ? [] : read.diagnostics)));
    return TROUBLE;
  }
  const found = diffSides(was.side, is.side, { teraflops: Number(options.rate) });
  const colour = hasColour(process.stdout);
  const report = json
    ? jsonReport(found, { stat })
    : md
      ? markdownReport(found, { stat })
      : textReport(found, { colour, stat });
  process.stdout.write(report);
  return exitCode && found.differ ? 1 : 0;
}
