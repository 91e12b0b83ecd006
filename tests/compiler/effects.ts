/** What a change of a spec does to what is generated, in words short enough for a table. */
import type { Compiled } from "../../compiler/compile";
import { isObject, type JsonObject, type JsonValue } from "../../compiler/spec/json";
import { diffCode } from "../../tools/diff/declarations";
import { changedFields, valueText } from "../../tools/diff/meaning";

/** More words than these are another piece of code: then only its name is told. */
const MOST_WORDS = 12;

/**
 * By place, those that change.
 * experiment: constants, `PATH FROM → TO`. Other files of code by their name (step, trees, …): declarations, with the words
 * that went and those that came where these are few. report: rows of the first table of report.md, `ROW FROM → TO`, without
 * their parts; the headings of others. texts: of graph.txt, the header of every file, and the comment with the description.
 */
export type Effects = Readonly<Record<string, string>>;

export function effectsOf(before: Compiled, after: Compiled): Effects {
  const names = [...new Set([...before.files, ...after.files].map(({ name }) => name))];
  const places: readonly (readonly [place: string, effects: readonly string[]])[] = [
    ["experiment", constants(before, after)],
    ...names
      .filter((name) => name.endsWith(".ts") && name !== "experiment.ts")
      .map((name) => [name.replace(".ts", ""), code(before, after, name)] as const),
    ["report", report(before, after)],
    ["texts", texts(before, after)],
  ];
  return Object.fromEntries(
    places.flatMap(([place, effects]) => (effects.length === 0 ? [] : [[place, effects.join(", ")]])),
  );
}

function textOf({ files }: Compiled, name: string): string {
  const found = files.find((file) => file.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found.text;
}

/** The constants of experiment.ts, read back from its text; the hash of the training follows all others. */
function experimentOf(compiled: Compiled): JsonObject {
  const [, literal = ""] = /export const experiment = (\{.*\}) as const/s.exec(textOf(compiled, "experiment.ts")) ?? [];
  const { trainingHash: _, ...constants } = new Function(`return ${literal}`)();
  return constants;
}

function constants(before: Compiled, after: Compiled): readonly string[] {
  return changedFields(experimentOf(before), experimentOf(after)).map(
    ({ path, a, b }) => `${path} ${constantText(a)} → ${constantText(b)}`,
  );
}

/** Block sizes as 3×4, programs as 12:6, target and context tokens. */
function constantText(value: JsonValue | undefined): string {
  if (!Array.isArray(value) || !value.every(isObject)) return valueText(value);
  return value
    .map((each) =>
      each.height === undefined ? `${each.targetTokens}:${each.contextTokens}` : `${each.height}×${each.width}`,
    )
    .join(" ");
}

function code(before: Compiled, after: Compiled, file: string): readonly string[] {
  const [was, is] = [textOf(before, file), textOf(after, file)];
  const bodyOf = (text: string) => text.slice(text.indexOf("*/"));
  if (bodyOf(was) === bodyOf(is)) return [];
  return diffCode([{ name: file, text: was }], [{ name: file, text: is }]).changes.map(({ name, change, patch }) =>
    change === "changed" ? `${name}${wordsOf(patch)}` : `${name} ${change}`,
  );
}

/** Words and numbers, but not those of comments. */
function wordsIn(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => line.replace(/\/\/.*|^.\s*\/?\*.*/, "").match(/[\w.]+(?:-\d+)?/g) ?? []);
}

/** In brackets, what went → what came. */
function wordsOf(patch: readonly string[]): string {
  const gone = wordsIn(patch.filter((line) => line.startsWith("-")));
  const come = wordsIn(patch.filter((line) => line.startsWith("+")));
  const only = (words: readonly string[], others: readonly string[]): readonly string[] =>
    [...new Set(words)].filter((word) => !others.includes(word));
  const [went, came] = [only(gone, come), only(come, gone)];
  if (went.length + came.length === 0 || went.length + came.length > MOST_WORDS) return "";
  return ` (${[...went, "→", ...came].join(" ")})`;
}

/** The tables of report.md by their headings; the first has none. */
function sectionsOf(compiled: Compiled): ReadonlyMap<string, string> {
  const [first = "", ...others] = textOf(compiled, "report.md").split("\n## ");
  return new Map([["", first], ...others.map((text): [string, string] => [text.split("\n")[0] ?? "", text])]);
}

function report(before: Compiled, after: Compiled): readonly string[] {
  const [was, is] = [sectionsOf(before), sectionsOf(after)];
  const factsOf = (text = "") =>
    new Map([...text.matchAll(/^\| (\w.*?) \| (.*?)(?::.*)? \|$/gm)].map(([, name = "", value = ""]) => [name, value]));
  const [facts, others] = [factsOf(was.get("")), factsOf(is.get(""))];
  const names = [...facts.keys()].filter((name) => facts.get(name) !== others.get(name));
  const headings = [...was.keys()].filter((heading) => heading !== "" && was.get(heading) !== is.get(heading));
  return [...names.map((name) => `${name} ${facts.get(name)} → ${others.get(name)}`), ...headings];
}

function texts(before: Compiled, after: Compiled): readonly string[] {
  const parts: Readonly<Record<string, (compiled: Compiled) => string | undefined>> = {
    graph: (compiled) => textOf(compiled, "graph.txt"),
    header: (compiled) =>
      textOf(compiled, "main.ts")
        .split("*/")[0]
        ?.replace(/sha256:\w+/g, ""),
    description: (compiled) => /^\/\*\* .*$/m.exec(textOf(compiled, "experiment.ts"))?.[0],
  };
  return Object.entries(parts).flatMap(([name, of]) => (of(before) === of(after) ? [] : [name]));
}
