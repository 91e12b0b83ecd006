/** Prints diagnostics: for people with the line they are about, for machines as JSON. */
import pico from "picocolors";
import type { Diagnostic, Place } from "./diagnostic";

type Paint = ReturnType<typeof pico.createColors>;

/** Longest piece of a line that is shown; a spec may be written on a single one. */
const shownColumns = 100;

/** Every problem with its line, and below them their number. Colours only where the terminal has them. */
export function reportForPeople(diagnostics: readonly Diagnostic[], { colour }: { readonly colour: boolean }): string {
  const paint = pico.createColors(colour);
  const blocks = diagnostics.map(harmless).map(({ file, place, code, severity, path, what, found, want, hint }) => {
    const where = file === null ? "" : `${paint.cyan(position(file, place))} `;
    const field = path === null || path === "" ? "" : `${paint.bold(shortened(path))}: `;
    const facts = [
      found === null ? [] : [`  found  ${paint.red(found)}`],
      want === null ? [] : [`  want   ${paint.green(want)}`],
      hint === null ? [] : [`  hint   ${hint}`],
    ];
    const lines = [
      `${where}${severity === "warning" ? `${paint.yellow(code)} warning: ` : `${paint.red(code)} `}${field}${what}`,
      ...quoted(place, paint),
      ...facts.flat(),
    ];
    return lines.join("\n");
  });
  return `${blocks.join("\n\n")}\n`;
}

/** A record of plain values, the same in every version: new keys may come, none goes. */
export function diagnosticJson({ place, ...diagnostic }: Diagnostic): {
  readonly [key: string]: string | number | null;
} {
  const { code, severity, file, path, what, found, want, hint } = diagnostic;
  const { line = null, column = null, length = null } = place ?? {};
  return { code, severity, file, line, column, length, path, what, found, want, hint };
}

const shortened = (text: string): string => (text.length > shownColumns ? `${text.slice(0, shownColumns)}…` : text);

function position(file: string, place: Place | null): string {
  return place === null ? file : `${file}:${place.line}:${place.column}`;
}

/** The line with a caret below what is wrong. */
function quoted(place: Place | null, { dim, red }: Paint): string[] {
  if (place === null) return [];
  const number = String(place.line).padStart(5);
  // A long line is cut around the place.
  const start = place.column > shownColumns - 20 ? place.column - 20 : 1;
  const cutBefore = start > 1 ? "…" : "";
  const rest = place.lineText.slice(start - 1);
  const shown = shortened(rest);
  const offset = place.column - start + cutBefore.length;
  const carets = "^".repeat(Math.max(1, Math.min(place.length, shownColumns - (place.column - start))));
  return [
    `${dim(`${number} |`)} ${cutBefore}${shown}`,
    `${dim(`${" ".repeat(number.length)} |`)} ${" ".repeat(offset)}${red(carets)}`,
  ];
}

/** Without what could move the cursor or colour the terminal: a spec may come from a stranger. */
export function harmless(diagnostic: Diagnostic): Diagnostic {
  const { file, place, path, what, found, want, hint } = diagnostic;
  return {
    ...diagnostic,
    file: file && printable(file),
    place: place && { ...place, lineText: printable(place.lineText) },
    path: path && printable(path),
    what: printable(what),
    found: found && printable(found),
    want: want && printable(want),
    hint: hint && printable(hint),
  };
}

/** One character for one, so that columns stay. */
export function printable(text: string): string {
  return text.replaceAll("\t", " ").replace(/[\p{Cc}\p{Zl}\p{Zp}]|[\u202a-\u202e\u2066-\u2069]/gu, "\uFFFD");
}
