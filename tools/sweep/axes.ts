/** The axes of a grid: which fields they set, to what, and how the steps are called in the names of points. */
import { basename } from "node:path";
import { errors } from "../../compiler/diagnostics/catalogue";
import type { Diagnostic, Problem } from "../../compiler/diagnostics/diagnostic";
import { canonicalJson, isObject, type JsonPath, type JsonValue } from "../../compiler/spec/json";
import { problemAt, type SpecSource } from "../../compiler/spec/source";
import type { AxisInput, GridInput, Values } from "./grid";
import { keysOf, overlap, pointerProblem } from "./pointer";

/** One place on an axis. */
export interface AxisStep {
  readonly label: string;
  readonly values: Values;
  /** File of the experiment that is changed, as the grid has it; undefined: the axis does not say. */
  readonly base: string | undefined;
}

export interface Axis {
  readonly name: string;
  readonly pointers: readonly string[];
  readonly steps: readonly AxisStep[];
}

export type Found = { readonly path: JsonPath; readonly problem: Problem; readonly part?: "key" | "value" };

/** Columns that tables of results and matrices have already. */
const reserved = ["point", "index", "name", "group", "seed", "shard", "points", "status"];

/** Axes of a grid that its schema accepts, or what is wrong with them. */
export function axesOf(
  source: SpecSource,
  grid: GridInput,
): { readonly axes: readonly Axis[]; readonly diagnostics: readonly Diagnostic[] } {
  const inputs = grid.axes ?? [];
  const found: Found[] = [...setProblems(grid), ...inputs.flatMap(axisProblems), ...overlaps(grid)];
  const usable = found.length === 0;
  const axes = usable ? namedAxes(inputs) : [];
  if (usable) found.push(...nameProblems(axes, inputs));
  return { axes, diagnostics: found.map(({ path, problem, part }) => problemAt(source, path, problem, part)) };
}

/** Pointer and values of each field of an axis, with their places in the file. */
function fieldsOf(axis: AxisInput, index: number): readonly Field[] {
  if (axis.zip !== undefined) {
    return Object.entries(axis.zip).map(([pointer, values]) => {
      const path = ["axes", index, "zip", pointer];
      return { pointer, values, path, pointerPath: path, part: "key" };
    });
  }
  const { pointer, values = [] } = axis;
  if (pointer === undefined) return [];
  return [{ pointer, values, path: ["axes", index, "values"], pointerPath: ["axes", index, "pointer"], part: "value" }];
}

/** What an axis goes through, a step at a time. */
interface List {
  /** What it is called in messages. */
  readonly pointer: string;
  readonly values: readonly JsonValue[];
  /** Its place. */
  readonly path: JsonPath;
}

const baseList = (bases: readonly string[], index: number): List => ({
  pointer: "bases",
  values: bases,
  path: ["axes", index, "bases"],
});

interface Field extends List {
  /** Place of the pointer, which may be a key. */
  readonly pointerPath: JsonPath;
  readonly part: "key" | "value";
}

/** Place in the grid file of a value of an axis, by pointer; undefined: of its base. */
export function stepPath(axis: AxisInput, index: number, pointer: string | undefined, step: number): JsonPath {
  if (pointer === undefined) return ["axes", index, "bases", step];
  return axis.zip === undefined ? ["axes", index, "values", step] : ["axes", index, "zip", pointer, step];
}

function setProblems({ set = {} }: GridInput): Found[] {
  return Object.keys(set).flatMap((pointer): Found[] => {
    const problem = pointerProblem(pointer);
    return problem === null ? [] : [{ path: ["set", pointer], problem, part: "key" }];
  });
}

function axisProblems(axis: AxisInput, index: number): Found[] {
  const { bases, labels } = axis;
  const given = (["pointer", "values", "zip"] as const).filter((key) => axis[key] !== undefined).join(" and ");
  if (!["pointer and values", "zip", ...(bases === undefined ? [] : [""])].includes(given)) {
    return [{ path: ["axes", index], problem: errors.axisForm({ found: given || "neither" }) }];
  }
  const fields = fieldsOf(axis, index);
  const lists = [...(bases === undefined ? [] : [baseList(bases, index)]), ...fields];
  const found: Found[] = [];
  for (const field of fields) {
    const problem = pointerProblem(field.pointer);
    if (problem !== null) found.push({ path: field.pointerPath, problem, part: field.part });
  }
  for (const { values, path } of lists) {
    if (values.length === 0) found.push({ path, problem: errors.emptyAxis({ what: "an axis" }) });
  }
  if (found.length > 0) return found;
  const longest = lists.reduce((most, list) => (list.values.length > most.values.length ? list : most));
  const length = longest.values.length;
  for (const field of lists.filter(({ values }) => values.length < length)) {
    const problem = errors.zipLengths({ found: field.values.length, other: longest.pointer, want: length });
    found.push({ path: field.path, problem });
  }
  if (found.length > 0) return found;
  for (const step of repeated(lists, length)) {
    found.push({ path: [...longest.path, step], problem: errors.duplicateValue() });
  }
  if (labels !== undefined && labels.length !== length) {
    const problem = errors.labelCount({ labels: labels.length, values: length });
    found.push({ path: ["axes", index, "labels"], problem });
  } else if (labels !== undefined) {
    for (const [step, label] of labels.entries()) {
      if (labels.indexOf(label) === step) continue;
      const problem = errors.pointNamesCollide({ name: label, hint: "Every value takes a label of its own." });
      found.push({ path: ["axes", index, "labels", step], problem });
    }
  }
  return found;
}

/** Steps that set everything to what an earlier one sets it to. */
function repeated(fields: readonly List[], length: number): number[] {
  const seen = new Set<string>();
  return Array.from({ length }, (_, step) => step).filter((step) => {
    const text = canonicalJson(fields.map(({ values }) => values[step] ?? null));
    const again = seen.has(text);
    seen.add(text);
    return again;
  });
}

/** Fields that two axes set, or an axis what `set` sets below it. What `set` gives to a whole group, an axis may refine. */
function overlaps({ set = {}, axes = [] }: GridInput): Found[] {
  const placed = axes.flatMap((axis, index) =>
    fieldsOf(axis, index).map((field) => ({ ...field, where: `axes[${index}]`, axis: true })),
  );
  const sets = Object.keys(set).map((pointer) => {
    const path = ["set", pointer];
    return { pointer, pointerPath: path, part: "key" as const, where: "set", axis: false };
  });
  const all = [...sets, ...placed];
  return all.flatMap((one, i): Found[] => {
    const other = all
      .slice(0, i)
      .find((before) =>
        one.axis && !before.axis
          ? before.pointer === one.pointer || before.pointer.startsWith(`${one.pointer}/`)
          : overlap(before.pointer, one.pointer),
      );
    if (other === undefined) return [];
    const problem = errors.overlappingPointers({ other: other.pointer, where: other.where });
    return [{ path: one.pointerPath, problem, part: one.part }];
  });
}

function namedAxes(inputs: readonly AxisInput[]): readonly Axis[] {
  const pointers = inputs.flatMap((axis, index) => fieldsOf(axis, index).map(({ pointer }) => pointer));
  return inputs.map((axis, index) => {
    const fields = fieldsOf(axis, index);
    const tails = fields.map(({ pointer }) => shortName(pointer, pointers));
    const { bases } = axis;
    const length = (bases ?? fields[0]?.values ?? []).length;
    const name = axis.name ?? (bases === undefined ? (tails[0] ?? "") : "base");
    const labels = axis.labels ?? fileLabels(bases) ?? defaultLabels(fields, { tails, length, name });
    const steps = Array.from({ length }, (_, step) => ({
      label: labels[step] ?? "",
      values: Object.fromEntries(fields.map(({ pointer, values }) => [pointer, values[step] ?? null])),
      base: bases?.[step],
    }));
    return { name, pointers: fields.map(({ pointer }) => pointer), steps };
  });
}

/** The last keys of a pointer, as many as tell it from the others: `dim`, or `encoder-dim` beside `predictor-dim`. */
function shortName(pointer: string, all: readonly string[]): string {
  const keys = keysOf(pointer);
  const others = all.filter((other) => other !== pointer).map(keysOf);
  const taken = keys.findLastIndex((_, from) => {
    const tail = keys.slice(from);
    return !others.some((other) => tail.every((key, i) => other[other.length - tail.length + i] === key));
  });
  return keys.slice(Math.max(taken, 0)).join("-");
}

/** `mae` of `../methods/mae.json`; undefined where the names of the files do not tell them apart, or are no labels. */
function fileLabels(bases: readonly string[] | undefined): readonly string[] | undefined {
  const names = bases?.map((file) => basename(file).replace(/\.jsonc?$/i, ""));
  const fit = names?.every((name) => /^[a-z0-9][a-z0-9._-]{0,47}$/.test(name)) && new Set(names).size === names.length;
  return fit ? names : undefined;
}

/** `dim96`; of a zip as many of its fields as tell its steps apart; `scale-1` where there is no short text for a value. */
function defaultLabels(
  fields: readonly Field[],
  { tails, length, name }: { readonly tails: readonly string[]; readonly length: number; readonly name: string },
): readonly string[] {
  const steps = Array.from({ length }, (_, step) => step);
  for (let count = 1; count <= fields.length; count++) {
    const labels = steps.map((step) => {
      const parts = fields.slice(0, count).map(({ values }, i) => valueLabel(tails[i] ?? "", values[step]));
      return parts.includes(null) ? null : parts.join("-");
    });
    const texts = labels.filter((label) => label !== null);
    if (texts.length === length && new Set(texts).size === length) return texts;
  }
  return steps.map((step) => `${name.toLowerCase()}-${step + 1}`);
}

/** Longer texts, such as paths, make names that nobody can read. */
const longestText = 16;

function valueLabel(name: string, value: JsonValue | undefined): string | null {
  if (value === undefined || isObject(value) || Array.isArray(value)) return null;
  const text = `${name}${value}`.toLowerCase();
  if (typeof value === "string" && value.length > longestText) return null;
  return /^[a-z0-9][a-z0-9._-]*$/.test(text) ? text : null;
}

function nameProblems(axes: readonly Axis[], inputs: readonly AxisInput[]): Found[] {
  return axes.flatMap(({ name }, index): Found[] => {
    const isReserved = reserved.includes(name);
    if (!isReserved && axes.findIndex((other) => other.name === name) === index) return [];
    const path: JsonPath = inputs[index]?.name === undefined ? ["axes", index] : ["axes", index, "name"];
    return [{ path, problem: errors.axisNameTaken({ reserved: isReserved }) }];
  });
}
