/** A diff for people, for a comment on a pull request, and for programs. */
import pico from "picocolors";
import { printable } from "../../compiler/diagnostics/problem-text";
import { COLUMNS, columns, INDENT, rowsOfChange, wrapped } from "./columns";
import type { CodeDiff, DeclarationChange } from "./declarations";
import { shareText } from "./derived";
import type { Diff } from "./diff";
import { valueText } from "./meaning";
import { programRow } from "./programs";
import { summaryOf } from "./summary";

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
    programs: "Programs: context + target tokens, share of the steps",
    code: "Generated code",
  };
}

function countsText({ changes, unchanged }: CodeDiff): string {
  const sum = (of: (change: DeclarationChange) => number) => changes.reduce((total, change) => total + of(change), 0);
  const lines = changes.length === 0 ? "" : `, +${sum(({ added }) => added)} −${sum(({ removed }) => removed)} lines`;
  return `${plural(changes.length, "declaration")} of ${changes.length + unchanged} ${changes.length === 1 ? "differs" : "differ"}${lines}`;
}

const NO_CODE = "not compared: a run keeps its constants, not its code";

/** The run folder goes by the name of the experiment: the two are one line, the last. */
function shownFields(fields: Diff["fields"]): Diff["fields"] {
  const name = fields.find(({ path }) => path === "name");
  const folder = fields.find(({ path }) => path === "runDirectory");
  if (name === undefined) return fields;
  const follows = folder?.a === `runs/${String(name.a)}` && folder.b === `runs/${String(name.b)}`;
  const others = fields.filter((field) => field !== name && !(follows && field === folder));
  return [...others, folder === undefined || follows ? { ...name, path: "name, run folder" } : name];
}

const MOST_PROGRAMS = 12;

function programLines(programs: Diff["programs"]): readonly string[] {
  const shown = programs.length > MOST_PROGRAMS + 1 ? programs.slice(0, MOST_PROGRAMS) : programs;
  const more = programs.length - shown.length;
  return [...columns(shown.map((each) => programRow(each))), ...(more === 0 ? [] : [`… ${more} more`])];
}

export function textReport(diff: Diff, { colour, stat }: ReportOptions): string {
  const paint = pico.createColors(colour);
  const title = headings(diff);
  const section = (heading: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ["", paint.bold(heading), ...lines.map((line) => `  ${line}`)];
  const fields = rowsOfChange(
    shownFields(diff.fields).map(
      ({ path, a, b }) => [printable(path), printable(valueText(a)), printable(valueText(b)), ""] as const,
    ),
  );
  const numbers = rowsOfChange(
    diff.numbers.map((moved) => {
      const [a, b] = moved.texts;
      return [printable(moved.name), printable(a), printable(b), shareText(moved)] as const;
    }),
  );
  const about = 10;
  const summary = summaryOf(diff).flatMap((line) =>
    wrapped(printable(line.text), COLUMNS - INDENT - about).map(
      (text, i) => `${(i === 0 ? line.about : "").padEnd(about)}${text}`,
    ),
  );
  const lines = [
    paint.red(`--- ${printable(diff.a.name)}`),
    paint.green(`+++ ${printable(diff.b.name)}`),
    ...section(title.fields, fields),
    ...section("In short", summary),
    ...section(title.numbers, numbers),
    ...section(title.programs, programLines(diff.programs)),
    ...section(title.code, [diff.code === null ? NO_CODE : countsText(diff.code)]),
    ...(diff.code?.changes ?? []).flatMap((change) => declarationText(change, { stat, paint })),
    ...(diff.differ ? [] : ["", "No difference."]),
  ];
  return `${lines.join("\n")}\n`;
}

const UNSAID: readonly DeclarationChange["change"][] = ["changed", "renamed", "split", "joined"];

/** `step → accumulate + update`, `lossOf (added)` */
function changeName({ file, name, change, was }: DeclarationChange): string {
  const before = was === undefined ? "" : `${was.file === file ? "" : `${was.file} `}${was.name} → `;
  return `${before}${name}${UNSAID.includes(change) ? "" : ` (${change})`}`;
}

function declarationText(
  change: DeclarationChange,
  { stat, paint }: { readonly stat: boolean; readonly paint: ReturnType<typeof pico.createColors> },
): readonly string[] {
  const { file, added, removed, patch } = change;
  const counts = `${paint.green(`+${added}`)} ${paint.red(`−${removed}`)}`;
  const head = `${paint.cyan(printable(file))} ${paint.bold(printable(changeName(change)))}`;
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
      shownFields(diff.fields).map(({ path, a, b }) => [cell(path), cell(valueText(a)), cell(valueText(b))]),
    ),
    ...table(
      ["In short", ""],
      summaryOf(diff).map(({ about, text }) => [about, cell(text)]),
    ),
    ...table(
      [title.numbers, "before", "after", ""],
      diff.numbers.map((moved) => [cell(moved.name), ...moved.texts.map(cell), shareText(moved)]),
    ),
    ...table(["Programs: context + target tokens", "share of the steps"], diff.programs.map(programRow)),
    "",
    `${title.code}: ${code === null ? NO_CODE : countsText(code)}.`,
    ...table(
      ["file", "declaration", "lines"],
      (code?.changes ?? []).map((change) => [
        cell(change.file),
        cell(changeName(change)),
        `+${change.added} −${change.removed}`,
      ]),
    ),
    ...(stat || code === null || code.changes.length === 0 ? [] : details(code.changes)),
  ];
  return `${lines.join("\n")}\n`;
}

/** Folded away; the fence is longer than any run of backticks in the code. */
function details(changes: readonly DeclarationChange[]): readonly string[] {
  const body = changes.flatMap((change) =>
    [`# ${change.file} ${changeName(change)}`, ...change.patch].map((line) => printable(line)),
  );
  const longest = Math.max(2, ...body.flatMap((line) => (line.match(/`+/g) ?? []).map((run) => run.length)));
  const fence = "`".repeat(longest + 1);
  return ["", "<details><summary>The lines</summary>", "", `${fence}diff`, ...body, fence, "", "</details>"];
}

/** Keys stay in every version; new ones may come. */
export function jsonReport(diff: Diff, { stat }: Pick<ReportOptions, "stat">): string {
  const { numbers, code, knowsCosts: _, ...rest } = diff;
  const document = {
    ...rest,
    summary: Object.fromEntries(summaryOf(diff).map(({ about, text }) => [about, text])),
    numbers: numbers.map(({ name, a, b }) => ({ name, a: a.value, b: b.value })),
    code: code && {
      unchanged: code.unchanged,
      changes: code.changes.map(({ patch, ...change }) => (stat ? change : { ...change, patch: patch.join("\n") })),
    },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
