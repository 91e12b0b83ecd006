/** The lines that differ between two texts, as hunks with the line numbers of their files. */
import { diffArrays, structuredPatch } from "diff";

const CONTEXT_LINES = 3;

/** A hash says only that something changed, and the name of an experiment is shown among its fields. */
const UNTOLD = /^( +(?:spec|training)Hash: )"[0-9a-f]{64}",$|^( {2}(?:name|runDirectory): )".*",$/;

/** Columns are aligned anew when one line grows. */
function comparable(line: string): string {
  return line
    .replace(/(\S) +(?=\/\/ )/g, "$1 ")
    .replace(UNTOLD, "$1$2…")
    .trimEnd();
}

/** A piece of a file. */
export interface Piece {
  /** Line in the file where the text starts, from 1. */
  readonly line: number;
  readonly text: string;
}

export interface Patch {
  /** Lines. */
  readonly added: number;
  readonly removed: number;
  /** Unified: `@@` lines with the line numbers of the files, then lines that begin with a blank, + or -. */
  readonly patch: readonly string[];
}

/** One side of a difference: lines with their numbers in the file. */
export interface SideText {
  readonly lines: readonly string[];
  readonly numbers: readonly number[];
}

export function sideText(parts: readonly Piece[]): SideText {
  const lines = parts.map(({ text }, i) => [...(i === 0 ? [] : [""]), ...text.split("\n")]);
  const numbers = parts.map(({ line }, i) => (lines[i] ?? []).map((_, n) => line + n - (i === 0 ? 0 : 1)));
  return { lines: lines.flat(), numbers: numbers.flat() };
}

/** Null where nothing differs that counts. */
export function patchOf(a: SideText, b: SideText): Patch | null {
  const aligned = diffArrays([...a.lines], [...b.lines], {
    comparator: (left, right) => comparable(left) === comparable(right),
  });
  // Lines that count as the same take the text of `b`, so that the patch does not tell them apart.
  const text = (not: "added" | "removed") =>
    aligned.flatMap((part) => (part[not] ? [] : part.value.map((line) => `${line}\n`))).join("");
  const { hunks } = structuredPatch("a", "b", text("added"), text("removed"), "", "", { context: CONTEXT_LINES });
  if (hunks.length === 0) return null;
  const patch = hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    `@@ -${a.numbers[oldStart - 1] ?? 0},${oldLines} +${b.numbers[newStart - 1] ?? 0},${newLines} @@`,
    ...lines,
  ]);
  const count = (sign: string) => hunks.flatMap(({ lines }) => lines).filter((line) => line.startsWith(sign)).length;
  return { added: count("+"), removed: count("-"), patch };
}
