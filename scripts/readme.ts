/**
 * The parts of README.md that are made: the result of the quickstart, from docs/quickstart.json; a piece of generated
 * code; what TypeScript says when two of its weights are swapped; how little another spec changes; and the speed of a step,
 * from docs/bench.json.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { diffLines } from "diff";
import { type BenchRecord, fastestTable, introduction } from "../bench/record";
import { compile } from "../compiler/compile";
import { typeErrors } from "../compiler/emit/check";
import { standingForItself } from "../compiler/emit/code";
import { loadSpec, specFromText } from "../compiler/spec/load";
import type { Spec } from "../compiler/spec/spec";
import { formatMarkdown } from "../runtime/evaluate/evaluation-report";
import { durationText } from "../runtime/report/text";
import type { QuickstartResult } from "./quickstart-run";
import { pageWith, root } from "./regions";

const read = (path: string): string => readFileSync(join(root, path), "utf8");

function quickstartSpec(): { readonly spec: Spec; readonly hash: string } {
  const loaded = loadSpec(join(root, "experiments", "quickstart.json"));
  if (!loaded.ok) throw new Error("experiments/quickstart.json is not valid");
  return loaded;
}

/** README.md with its made parts as they should be. */
export function readmePage(): string {
  const step = read("generated/quickstart/step.ts");
  return pageWith("README.md", {
    quickstart: quickstart(),
    excerpt: excerpt(step),
    "type-error": typeError(step),
    differences: differences(step),
    speed: speed(),
  });
}

function speed(): string {
  // Written by bench/step.ts, from this type.
  const record = JSON.parse(read("docs/bench.json")) as BenchRecord;
  return `${introduction(record)}\n\n${fastestTable(record)}`;
}

function quickstart(): string {
  // Written by scripts/quickstart-run.ts.
  const result = JSON.parse(read("docs/quickstart.json")) as QuickstartResult;
  const isCurrent = quickstartSpec().hash === result.specHash;
  const { steps, wallMs, cores, engine, node, date, epochLosses, report } = result;
  return [
    `Measured on ${date}: ${steps} steps and the evaluation in ${durationText(wallMs)} on ${cores} cores ` +
      `(${engine}; Node ${node.slice(1)}), mean loss of each epoch ${epochLosses.map((loss) => loss.toFixed(3)).join(", ")}.`,
    ...(isCurrent ? [] : ["*This was measured with an earlier `experiments/quickstart.json`.*"]),
    "",
    formatMarkdown(report),
  ].join("\n");
}

/** From the line that starts with `from` to the one that starts with `to`, inclusive. */
function cut(text: string, from: string, to: string): readonly string[] {
  const lines = text.split("\n");
  const first = lines.findIndex((line) => line.startsWith(from));
  const last = lines.findIndex((line, i) => i > first && line.startsWith(to));
  if (first < 0 || last < 0) throw new Error(`generated/quickstart/step.ts has no ${first < 0 ? from : to}`);
  return lines.slice(first, last + 1);
}

function excerpt(step: string): string {
  return ["```ts", ...cut(step, "/** A block of the context encoder.", "}"), "```"].join("\n");
}

function typeError(step: string): string {
  const right = "o.linear(activated, block.mlp.fc2.weight, block.mlp.fc2.bias)";
  const wrong = "o.linear(activated, block.mlp.fc1.weight, block.mlp.fc2.bias)";
  const edited = step.replace(right, wrong);
  const [error] = typeErrors(join(root, "generated", "readme"), [
    standingForItself({ name: "step.ts", text: edited, imports: [] }),
  ]);
  if (edited === step || error === undefined) throw new Error("a wrong weight in step.ts is no type error");
  return ["```text", error, "```"].join("\n");
}

/** Other experiments than the quickstart: a field, and what becomes of its value. */
const changes: readonly (readonly [field: string, to: (from: unknown) => unknown])[] = [
  ["encoder.depth", twice],
  ["encoder.dim", twice],
  ["encoder.dropPath", () => 0.1],
  ["loss", () => "mse"],
  ["masking.sampler", (from) => (from === "unbiased" ? "reference" : "unbiased")],
  ["masking.targets.count", (from) => Number(from) - 1],
  ["optimization.globalBatch", twice],
  ["optimization.accumulation", twice],
];

function twice(value: unknown): number {
  return 2 * Number(value);
}

function differences(step: string): string {
  const { spec } = quickstartSpec();
  const rows = changes.map(([field, to]) => {
    const path = field.split(".");
    const from = valueAt(spec, path);
    const changed = stepOf(withValue(spec, path, to(from)));
    const lines = diffLines(step, changed).reduce((sum, { added, count }) => sum + (added ? count : 0), 0);
    return { text: `| \`${field}\` ${from} → ${to(from)} | ${lines} |`, lines };
  });
  return [
    `Of the ${step.split("\n").length - 1} lines of the quickstart's \`step.ts\`, another spec changes or adds, the two`,
    "lines of the header that always change included:",
    "",
    "| change to `experiments/quickstart.json` | lines |",
    "| --- | ---: |",
    ...rows.sort((a, b) => a.lines - b.lines).map(({ text }) => text),
  ].join("\n");
}

function stepOf(spec: unknown): string {
  const loaded = specFromText({ text: JSON.stringify(spec), file: "quickstart.json" });
  if (!loaded.ok) throw new Error(loaded.diagnostics.map(({ what }) => what).join("\n"));
  const file = compile(loaded).files.find(({ name }) => name === "step.ts");
  if (file === undefined) throw new Error("a trainer without step.ts");
  return file.text;
}

const membersOf = (value: unknown): Readonly<Record<string, unknown>> => ({ ...(value as object) });

function valueAt(holder: unknown, [key, ...rest]: readonly string[]): unknown {
  return key === undefined ? holder : valueAt(membersOf(holder)[key], rest);
}

function withValue(holder: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  const members = membersOf(holder);
  return { ...members, [key]: withValue(members[key], rest, value) };
}
