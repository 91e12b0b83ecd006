/** Every combination of a grid as a whole experiment, checked like a spec file. */
import { errors } from "../../compiler/diagnostics/catalogue";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic";
import type { JsonObject } from "../../compiler/spec/json";
import { specFromText } from "../../compiler/spec/load";
import { problemAt, type SpecSource } from "../../compiler/spec/source";
import type { Axis, AxisStep } from "./axes";
import type { Base } from "./bases";
import { blamed, type Failure } from "./blame";
import type { Combination } from "./combination";
import { type Exclusion, excluded } from "./exclude";
import type { GridInput } from "./grid";
import { keysOf, withValue } from "./pointer";
import type { SweepPoint } from "./sweep";

/** Far above any sweep that is trained, far below what would keep somebody waiting. */
export const mostPoints = 10_000;

/** As long as the name of an experiment may be. */
const longestName = 64;
/** The same for its description. */
const longestDescription = 1000;

export interface PointsInput {
  readonly source: SpecSource;
  readonly grid: GridInput;
  readonly name: string;
  readonly axes: readonly Axis[];
  /** The experiment that a combination changes. */
  readonly baseOf: (named: string | undefined) => Base;
}

export type Points =
  | { readonly ok: true; readonly points: readonly SweepPoint[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

export function pointsOf(input: PointsInput): Points {
  const { source, grid, axes, baseOf } = input;
  const fail = (diagnostics: readonly Diagnostic[]): Points => ({ ok: false, diagnostics });
  const counts = [...axes.map(({ steps }) => steps.length), ...(grid.seeds === undefined ? [] : [grid.seeds.length])];
  const total = counts.reduce((product, count) => product * count, 1);
  // Counted before anything is built: a million points are wrong at once.
  if (total > mostPoints) {
    const problem = errors.tooManyPoints({ counts, points: total, most: mostPoints });
    return fail([problemAt(source, [axes.length > 0 ? "axes" : "seeds"], problem, "key")]);
  }
  const all = combinations(input);
  const exclusion: Exclusion = excluded(source, { grid, axes, combinations: all });
  if (exclusion.diagnostics.length > 0) return fail(exclusion.diagnostics);
  const kept = exclusion.kept;
  const names = nameProblems(source, { ...input, combinations: kept });
  if (names.length > 0) return fail(names);

  const failures: Failure[] = [];
  const points = kept.flatMap((combination, index): SweepPoint[] => {
    const { document, folder: dataFolder } = baseOf(combination.base);
    const text = textOf(document, input, combination);
    // The same way as a file of its own; what is wrong is then told of the grid.
    const loaded = specFromText({ text, file: `${combination.name}.json`, folder: dataFolder });
    if (!loaded.ok) {
      failures.push({ combination, diagnostics: loaded.diagnostics });
      return [];
    }
    const { name, group, labels, values, seed } = combination;
    return [{ index, name, group, labels, values, seed, text, spec: loaded.spec, hash: loaded.hash, dataFolder }];
  });
  return failures.length > 0
    ? fail(blamed(source, { grid, axes, failures, points: kept.length }))
    : { ok: true, points };
}

/** All of them in order: the axes as they stand, the last fastest, the seed within. */
function combinations({ grid, name, axes, baseOf }: PointsInput): readonly Combination[] {
  const { set = {}, seeds } = grid;
  const groups = axes.reduce<readonly Group[]>(
    (before, axis) => before.flatMap((group) => axis.steps.map((step, at) => extended(group, axis, step, at))),
    [{ group: name, labels: {}, values: set, base: undefined, steps: [] }],
  );
  return groups.flatMap((group) =>
    (seeds ?? [baseOf(group.base).seed]).map((seed) => ({
      ...group,
      name: seeds === undefined ? group.group : `${group.group}-s${seed}`,
      values: { ...group.values, "/seed": seed },
      seed,
    })),
  );
}

type Group = Omit<Combination, "name" | "seed">;

function extended(group: Group, axis: Axis, step: AxisStep, at: number): Group {
  return {
    group: `${group.group}-${step.label}`,
    labels: { ...group.labels, [axis.name]: step.label },
    values: { ...group.values, ...step.values },
    base: step.base ?? group.base,
    steps: [...group.steps, at],
  };
}

/**
 * The base with the values of a point. What it is by name and in words is the point's own, so that another description of
 * the base makes no other experiment of it.
 */
function textOf(
  { $schema: _, extends: _extends, description: _base, ...base }: JsonObject,
  grid: PointsInput,
  point: Combination,
): string {
  let document: JsonObject = { name: point.name, description: descriptionOf(grid, point), seed: point.seed, ...base };
  document = { ...document, name: point.name };
  for (const [pointer, value] of Object.entries(point.values)) document = withValue(document, keysOf(pointer), value);
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** `Point of the sweep target-scale: /masking/targets/scale [0.1,0.2].` */
function descriptionOf({ name, axes }: PointsInput, { values }: Combination): string {
  const said = axes.flatMap(({ pointers }) =>
    pointers.map((pointer) => `${pointer} ${JSON.stringify(values[pointer])}`),
  );
  const text = `Point of the sweep ${name}${said.length === 0 ? "" : `: ${said.join(", ")}`}.`;
  return text.length > longestDescription ? `${text.slice(0, longestDescription - 1)}…` : text;
}

function nameProblems(
  source: SpecSource,
  { grid, axes, combinations: all }: PointsInput & { readonly combinations: readonly Combination[] },
): readonly Diagnostic[] {
  const seen = new Map<string, Combination>();
  for (const combination of all) {
    const { name, steps } = combination;
    const other = seen.get(name);
    if (other !== undefined) {
      const axis = steps.findIndex((step, i) => step !== other.steps[i]);
      const hint =
        axis < 0
          ? "A label looks like a seed: give other `labels`."
          : `The labels of ${axes.map((one) => one.name).join(" and ")} run into one another: give other \`labels\`.`;
      const path = axis < 0 ? ["seeds"] : ["axes", axis];
      return [problemAt(source, path, errors.pointNamesCollide({ name, hint }))];
    }
    seen.set(name, combination);
  }
  const longest = all.reduce((most, { name }) => (name.length > most.length ? name : most), "");
  if (longest.length <= longestName) return [];
  const path = grid.name === undefined ? ["axes"] : ["name"];
  return [problemAt(source, path, errors.pointNameTooLong({ name: longest, most: longestName }))];
}
