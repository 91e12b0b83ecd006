/** A diff for people, for a comment on a pull request, and for programs. */
import pico from "picocolors";
import { printable } from "../../compiler/diagnostics/problem-text";
import type { CodeDiff, DeclarationChange } from "./declarations";
import { shareText } from "./derived";
import type { Diff } from "./diff";
import { valueText } from "./meaning";

export interface ReportOptions {
  readonly colour: boolean;
  /** Counts instead of lines of code. */
  readonly stat: boolean;
}

const plural = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`;

function headings(diff: Diff) {
  return {
    fields: diff.compared === "spec" ? "What it means" : "What it means (constants)",
    numbers: "Numbers that moved",
    code: "Generated code",
  };
}

function summary({ changes, unchanged }: CodeDiff): string {
  const sum = (of: (change: DeclarationChange) => number) => changes.reduce((total, change) => total + of(change), 0);
  const lines = changes.length === 0 ? "" : `, +${sum(({ added }) => added)} −${sum(({ removed }) => removed)} lines`;
  return `${plural(changes.length, "declaration")} of ${changes.length + unchanged} ${changes.length === 1 ? "differs" : "differ"}${lines}`;
}

const NO_CODE = "not compared: a run keeps its constants, not its code";

/** Cells in columns; the last is not filled up. */
function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(width(i))))
      .join("  ")
      .trimEnd(),
  );
}

export function textReport(diff: Diff, { colour, stat }: ReportOptions): string {
  const paint = pico.createColors(colour);
  const title = headings(diff);
  const section = (heading: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ["", paint.bold(heading), ...lines.map((line) => `  ${line}`)];
  const fields = columns(
    diff.fields.map((field) => [
      printable(field.path),
      `${printable(valueText(field.a))} → ${printable(valueText(field.b))}`,
    ]),
  );
  const numbers = columns(
    diff.numbers.map((moved) => [
      printable(moved.name),
      `${printable(moved.a.text)} → ${printable(moved.b.text)}`,
      shareText(moved),
    ]),
  );
  const lines = [
    paint.red(`--- ${printable(diff.a.name)}`),
    paint.green(`+++ ${printable(diff.b.name)}`),
    ...section(title.fields, fields),
    ...section(title.numbers, numbers),
    ...section(title.code, [diff.code === null ? NO_CODE : summary(diff.code)]),
    ...(diff.code?.changes ?? []).flatMap((change) => declarationText(change, { stat, paint })),
    ...(diff.differ ? [] : ["", "No difference."]),
  ];
  return `${lines.join("\n")}\n`;
}

function declarationText(
  { file, name, change, added, removed, patch }: DeclarationChange,
  { stat, paint }: { readonly stat: boolean; readonly paint: ReturnType<typeof pico.createColors> },
): readonly string[] {
  const counts = `${paint.green(`+${added}`)} ${paint.red(`−${removed}`)}`;
  const head = `${paint.cyan(printable(file))} ${paint.bold(printable(name))}${change === "changed" ? "" : ` (${change})`}`;
  if (stat) return [`  ${head}  ${counts}`];
  const colours: Readonly<Record<string, (text: string) => string>> = {
    "+": paint.green,
    "-": paint.red,
    "@": paint.dim,
  };
  const lines = patch.map((line) => (colours[line.charAt(0)] ?? ((text: string) => text))(printable(line)));
  return ["", `${head}  ${counts}`, ...lines];
}

/** Text that can neither end a cell nor start markup. */
function cell(text: string): string {
  return printable(text).replaceAll(/[\\`*_{}[\]<>|#~&!@$:]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return rows.length === 0 ? [] : ["", line(head), line(head.map(() => "---")), ...rows.map(line)];
}

export function markdownReport(diff: Diff, { stat }: Pick<ReportOptions, "stat">): string {
  const title = headings(diff);
  const { code } = diff;
  const lines = [
    `### ${cell(diff.a.name)} → ${cell(diff.b.name)}`,
    ...(diff.differ ? [] : ["", "No difference."]),
    ...table(
      [title.fields, "before", "after"],
      diff.fields.map(({ path, a, b }) => [cell(path), cell(valueText(a)), cell(valueText(b))]),
    ),
    ...table(
      [title.numbers, "before", "after", ""],
      diff.numbers.map((moved) => [cell(moved.name), cell(moved.a.text), cell(moved.b.text), shareText(moved)]),
    ),
    "",
    `${title.code}: ${code === null ? NO_CODE : summary(code)}.`,
    ...table(
      ["file", "declaration", "lines"],
      (code?.changes ?? []).map(({ file, name, change, added, removed }) => [
        cell(file),
        `${cell(name)}${change === "changed" ? "" : ` (${change})`}`,
        `+${added} −${removed}`,
      ]),
    ),
    ...(stat || code === null || code.changes.length === 0 ? [] : details(code.changes)),
  ];
  return `${lines.join("\n")}\n`;
}

/** Folded away; the fence is longer than any run of backticks in the code. */
function details(changes: readonly DeclarationChange[]): readonly string[] {
  const body = changes.flatMap(({ file, name, patch }) => [`# ${file} ${name}`, ...patch].map(printable));
  const longest = Math.max(2, ...body.flatMap((line) => (line.match(/`+/g) ?? []).map((run) => run.length)));
  const fence = "`".repeat(longest + 1);
  return ["", "<details><summary>The lines</summary>", "", `${fence}diff`, ...body, fence, "", "</details>"];
}

/** Keys stay in every version; new ones may come. */
export function jsonReport(diff: Diff, { stat }: Pick<ReportOptions, "stat">): string {
  const { numbers, code } = diff;
  const document = {
    ...diff,
    numbers: numbers.map(({ name, a, b }) => ({ name, a: a.value, b: b.value })),
    code: code && {
      unchanged: code.unchanged,
      changes: code.changes.map(({ patch, ...change }) => (stat ? change : { ...change, patch: patch.join("\n") })),
    },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
