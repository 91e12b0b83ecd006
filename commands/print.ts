/** Where the command line writes what is wrong: standard error, in colour on a terminal. */
import pico from "picocolors";
import { annotationsOf } from "../compiler/diagnostics/annotations";
import type { Diagnostic } from "../compiler/diagnostics/diagnostic";
import { diagnosticJson, reportForPeople } from "../compiler/diagnostics/problem-text";
import { answersInJson, defaultFormat, type ProblemFormat } from "./format";

/** On a terminal, unless NO_COLOR says otherwise; elsewhere where FORCE_COLOR asks for it. CI systems get none by themselves. */
export function hasColour(stream: { readonly isTTY?: boolean }): boolean {
  const { FORCE_COLOR: forced } = process.env;
  if (forced !== undefined && forced !== "") return forced !== "0" && forced !== "false";
  return stream.isTTY === true && pico.isColorSupported;
}

/** Every problem, and below them how many there are; for GitHub also as annotations, which it finds on both outputs. A program that
 * asked for JSON gets the problems as JSON, on standard output. */
export function printDiagnostics(diagnostics: readonly Diagnostic[], format: ProblemFormat = defaultFormat()): void {
  if (diagnostics.length === 0) return;
  if (answersInJson() && diagnostics.some(({ severity }) => severity === "error")) {
    process.stdout.write(`${JSON.stringify({ diagnostics: diagnostics.map(diagnosticJson) }, null, 2)}\n`);
    return;
  }
  const colour = hasColour(process.stderr);
  process.stderr.write(`${reportForPeople(diagnostics, { colour })}${problemCount(diagnostics)}`);
  if (format === "github") process.stderr.write(annotationsOf(diagnostics));
}

/** `3 problems in 2 files.`, below an empty line; empty where they are in no file. */
export function problemCount(diagnostics: readonly Diagnostic[]): string {
  const files = new Set(diagnostics.flatMap(({ file }) => file ?? [])).size;
  const warnings = diagnostics.filter(({ severity }) => severity === "warning").length;
  const counted = [
    [diagnostics.length - warnings, "problem"],
    [warnings, "warning"],
  ] as const;
  const problems = counted
    .flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}${count === 1 ? "" : "s"}`]))
    .join(" and ");
  return files === 0 ? "" : `\n${problems} in ${files === 1 ? "1 file" : `${files} files`}.\n`;
}
