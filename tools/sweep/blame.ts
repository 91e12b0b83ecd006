/** What is wrong with points, told at the place of the grid file that makes it so. */
import { errors } from "../../compiler/diagnostics/catalogue";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic";
import { type JsonPath, pathText } from "../../compiler/spec/json";
import { problemAt, type SpecSource } from "../../compiler/spec/source";
import { type Axis, stepPath } from "./axes";
import type { Combination } from "./combination";
import type { GridInput } from "./grid";
import { keysOf } from "./pointer";

export interface Failure {
  readonly combination: Combination;
  readonly diagnostics: readonly Diagnostic[];
}

interface Case {
  readonly diagnostic: Diagnostic;
  readonly combination: Combination;
}

/** One diagnostic for each value that breaks points, with the first of them by name and the number of the others. */
export function blamed(
  source: SpecSource,
  what: {
    readonly grid: GridInput;
    readonly axes: readonly Axis[];
    readonly failures: readonly Failure[];
    /** Points of the sweep, broken or not. */
    readonly points: number;
  },
): readonly Diagnostic[] {
  const { grid, axes, failures, points } = what;
  const cases = failures.flatMap(({ combination, diagnostics }) =>
    diagnostics.map((diagnostic) => ({ diagnostic, combination })),
  );
  const byProblem = grouped(cases, ({ diagnostic: { code, path } }) => `${code} ${path}`);
  return byProblem.flatMap((same) => {
    const path = same[0]?.diagnostic.path ?? "";
    const places = grouped(
      same.map((one) => ({ ...one, place: placeOf(path, one.combination, { grid, axes, same, points }) })),
      ({ place }) => pathText(place),
    );
    return places.flatMap((here) => {
      const [first] = here;
      if (first === undefined) return [];
      const { diagnostic, combination, place } = first;
      const { code, severity, what: said, found, want, hint } = diagnostic;
      const others = new Set(here.map((one) => one.combination.name)).size - 1;
      const all = others === 0 ? "" : ` and ${others} other${others === 1 ? "" : "s"}`;
      const problem = {
        code,
        severity,
        what: `point \`${combination.name}\`${all}: ${path}: ${said}`,
        found,
        want,
        hint,
      };
      // Of an unknown key inside a value, the key is what is wrong.
      return [problemAt(source, place, problem, code === errors.unknownKey.code ? "key" : "value")];
    });
  });
}

function placeOf(
  path: string,
  { steps }: Combination,
  {
    grid,
    axes,
    same,
    points,
  }: {
    readonly grid: GridInput;
    readonly axes: readonly Axis[];
    readonly same: readonly Case[];
    readonly points: number;
  },
): JsonPath {
  // The axis that sets the very field, or what holds it, or what it holds.
  for (const [index, axis] of axes.entries()) {
    const pointer = axis.pointers.find((one) => overlaps(fieldText(one), path));
    if (pointer !== undefined) return [...valuePath(grid, index, pointer, steps), ...within(path, pointer)];
  }
  const setHere = Object.keys(grid.set ?? {}).find((one) => overlaps(fieldText(one), path));
  if (setHere !== undefined) return ["set", setHere, ...within(path, setHere)];
  // Another field is told to be wrong because of one that an axis sets: the axis of which the fewest values fail.
  const broken = new Set(same.map(({ combination }) => combination.name)).size;
  const shares = axes.map(({ steps: all }, index) => ({
    index,
    share: new Set(same.map(({ combination }) => combination.steps[index])).size / all.length,
  }));
  const culprit = shares.reduce<(typeof shares)[number] | null>(
    (best, one) => (best === null || one.share <= best.share ? one : best),
    null,
  );
  if (culprit === null || broken === points) return Object.keys(grid.set ?? {}).length > 0 ? ["set"] : ["base"];
  const pointer = axes[culprit.index]?.pointers[0];
  return valuePath(grid, culprit.index, pointer, steps);
}

function valuePath(grid: GridInput, index: number, pointer: string | undefined, steps: readonly number[]): JsonPath {
  const axis = grid.axes?.[index];
  if (axis === undefined) throw new Error("internal: an axis that is not in the grid");
  return stepPath(axis, index, pointer, steps[index] ?? 0);
}

function fieldText(pointer: string): string {
  return pathText(keysOf(pointer));
}

/** Whether one of two fields, as texts of their paths, is the other, or holds it. */
function overlaps(a: string, b: string): boolean {
  const holds = (outer: string, inner: string): boolean =>
    inner === outer || inner.startsWith(`${outer}.`) || inner.startsWith(`${outer}[`);
  return holds(a, b) || holds(b, a);
}

/** What of a path lies inside the value that the pointer sets: its keys are words and numbers. */
function within(path: string, pointer: string): JsonPath {
  const rest = path.slice(fieldText(pointer).length);
  return [...rest.matchAll(/\.([$\w-]+)|\[(\d+)\]/g)].map(([, key, index]) => key ?? Number(index));
}

/** In the order in which they come. */
function grouped<T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}
