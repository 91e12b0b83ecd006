/** `ijepa export RUN|CHECKPOINT --format F`: an encoder in a form that other programs load, with a model card. */
import { relative } from "node:path";
import { errors, exitCode } from "../compiler/diagnostics/catalogue";
import { type Diagnostic, unplaced } from "../compiler/diagnostics/diagnostic";
import { UserError } from "../runtime/errors";
import { exportRun } from "../tools/export/export";
import { type FormatName, formatNames } from "../tools/export/format";
import { formats } from "../tools/export/formats/index";
import { type ExportPrecision, precisions } from "../tools/export/onnx/weights";
import { ExportRefused } from "../tools/export/refused";
import type { EncoderChoice, encoderNames } from "../tools/export/source";
import { printDiagnostics } from "./print";

export interface ExportCommandOptions {
  readonly format: string;
  readonly encoder: string;
  readonly precision: string;
  readonly out?: string;
  readonly images?: string;
}

/** Exit code of every failure: there is no spec that could be wrong. */
const TROUBLE = 2;

/** Resolves to the exit code: 0 written, 2 could not export. */
export async function exportCommand(from: string, options: ExportCommandOptions): Promise<number> {
  const chosen = choose(options);
  if ("diagnostic" in chosen) return refused(chosen.diagnostic);
  try {
    const { out = null, images = null } = options;
    const made = await exportRun({ from, ...chosen, out, images });
    const notes = made.notes.map((note) => `  ${note}\n`).join("");
    process.stdout.write(
      `${here(made.checkpoint)} → ${here(made.folder)} (${(made.bytes / 1e6).toFixed(1)} MB)\n${notes}` +
        `Load it with:\n${made.loading.lines.map((line) => `  ${line}\n`).join("")}`,
    );
    return 0;
  } catch (error) {
    if (error instanceof ExportRefused) return refused(unplaced(error.file, error.problem));
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`${error.code}: ${error.message}\n`);
    return TROUBLE;
  }
}

const here = (path: string): string => relative(".", path) || ".";

function refused(diagnostic: Diagnostic): number {
  printDiagnostics([diagnostic]);
  return exitCode([diagnostic]);
}

interface Chosen {
  readonly format: FormatName;
  readonly encoder: EncoderChoice;
  readonly precision: ExportPrecision;
}

function choose(options: ExportCommandOptions): Chosen | { readonly diagnostic: Diagnostic } {
  const wrong = (flag: string, found: string, known: readonly string[]) => ({
    diagnostic: unplaced(
      null,
      errors.badUsage({ what: `${flag} is ${JSON.stringify(found)}`, hint: `It takes ${known.join(", ")}.` }),
    ),
  });
  const format = formatNames.find((name) => name === options.format);
  if (format === undefined) return wrong("--format", options.format, formatNames);
  const encoders = ["target", "context"] as const satisfies readonly (keyof typeof encoderNames)[];
  const encoder = encoders.find((name) => name === options.encoder);
  if (encoder === undefined) return wrong("--encoder", options.encoder, encoders);
  const precision = precisions.find((name) => name === options.precision);
  if (precision === undefined) return wrong("--precision", options.precision, precisions);
  const possible: readonly ExportPrecision[] = ["fp32", ...formats[format].precisions];
  if (!possible.includes(precision)) return wrong(`--precision of --format ${format}`, precision, possible);
  return { format, encoder, precision };
}
