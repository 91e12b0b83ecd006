/** Edits of a person as a problem to print: which files, how many lines, and the first of them. */
import { structuredPatch } from "diff";
import { errors } from "../diagnostics/catalogue";
import { type Diagnostic, unplaced } from "../diagnostics/diagnostic";
import { printable } from "../diagnostics/problem-text";
import type { Edit, Edits } from "./edits";

/** Lines of all differences together that are shown. */
const SHOWN_LINES = 16;

const counts = ({ name, added, removed }: Edit): string => `${name} +${added} −${removed}`;

/** `instead`: what a person may do who wants the files written all the same. */
export function editedDiagnostic({ folder, files, isOther }: Edits, instead: string): Diagnostic {
  const lines = isOther ? "lines, some of them from a change of the spec or of ijepa" : "lines";
  return unplaced(folder, errors.editedByHand({ found: `${files.map(counts).join(", ")} ${lines}`, folder, instead }));
}

/** The same by the names of the files alone. */
export function editedFilesDiagnostic(folder: string, names: readonly string[], instead: string): Diagnostic {
  return unplaced(folder, errors.editedByHand({ found: names.join(", "), folder, instead }));
}

/** Unified, from the files as they would be written to the files as they are. */
export function editsText({ files }: Pick<Edits, "files">): string {
  const lines = files.flatMap(({ name, compiled, text }) => {
    const { hunks } = structuredPatch(name, name, compiled, text, "", "", { context: 1 });
    return [
      `--- ${name} as compiled`,
      `+++ ${name} as it is`,
      ...hunks.flatMap((hunk) => [`@@ -${hunk.oldStart} +${hunk.newStart} @@`, ...hunk.lines]),
    ];
  });
  const more = lines.length - SHOWN_LINES;
  const shown = more > 1 ? [...lines.slice(0, SHOWN_LINES), `… ${more} lines more: \`ijepa compile --check\``] : lines;
  return `${shown.map((line) => printable(line)).join("\n")}\n`;
}
