/** Where the command line writes what is wrong: standard error, in colour on a terminal. */
import pico from "picocolors";
import type { Diagnostic } from "../diagnostics/diagnostic";
import { reportForPeople } from "../diagnostics/report";

/** Every problem, and below them how many there are. */
export function printDiagnostics(diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.length === 0) return;
  const colour = process.stderr.isTTY === true && pico.isColorSupported;
  const files = new Set(diagnostics.flatMap(({ file }) => file ?? [])).size;
  const problems = diagnostics.length === 1 ? "1 problem" : `${diagnostics.length} problems`;
  const summary = files === 0 ? "" : `\n${problems} in ${files === 1 ? "1 file" : `${files} files`}.\n`;
  process.stderr.write(`${reportForPeople(diagnostics, { colour })}${summary}`);
}
