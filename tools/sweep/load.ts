/** From a grid file to the points of a sweep, or to everything that is wrong with it. */
import { dirname, isAbsolute, join } from "node:path";
import { errors } from "../../compiler/diagnostics/catalogue";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic";
import type { JsonObject } from "../../compiler/spec/json";
import { specOf } from "../../compiler/spec/load";
import { isGrid, type ReadResult, readSpec } from "../../compiler/spec/read";
import { problemAt, type SpecSource } from "../../compiler/spec/source";
import { wantWords } from "../../compiler/spec/words";
import { axesOf, type Found } from "./axes";
import { checkGrid, type GridInput, gridSchema } from "./grid";
import { metricOf, metricProblems, stopOf, stopProblems } from "./metric";
import { pointsOf } from "./points";
import { withSettings } from "./settings";
import type { Sweep } from "./sweep";

export type LoadedSweep =
  | { readonly ok: true; readonly sweep: Sweep }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Reads a grid, its base, and makes every point a whole experiment. Never throws for what is in the files. */
export function loadSweep(file: string, settings: readonly string[] = []): LoadedSweep {
  return sweepOf(readSpec(file), settings);
}

/** The same for a grid that is read already. */
export function sweepOf(given: ReadResult, settings: readonly string[] = []): LoadedSweep {
  const read = withSettings(given, settings);
  if (!read.ok) return read;
  const { source } = read;
  const checked = checkGrid(source, read.value);
  if (!checked.ok) return failed(checked.diagnostics);
  const { grid } = checked;
  const name = grid.name ?? source.name;
  const { axes, diagnostics } = axesOf(source, grid);
  const base = readBase(source, grid);
  const early = [...plainProblems(source, grid, name), ...diagnostics, ...(base.ok ? [] : base.diagnostics)];
  if (early.length > 0 || !base.ok) return failed(early);

  const built = pointsOf({ source, grid, name, axes, base });
  if (!built.ok) return failed(built.diagnostics);
  const { points } = built;
  const metric = metricOf(grid, points);
  const unknown = metricProblems(grid, points);
  // A metric that no trainer reports has no epochs to check.
  const late = unknown.length > 0 ? unknown : stopProblems(grid, metric, points);
  if (late.length > 0) return failed(placed(source, late));
  const sweep: Sweep = {
    name,
    description: grid.description ?? "",
    file: source.file,
    base: base.file,
    axes: axes.map((axis) => ({ name: axis.name, pointers: axis.pointers })),
    seeds: grid.seeds ?? [base.seed],
    dataFolder: base.folder,
    metric,
    stop: stopOf(grid.stop),
    points,
  };
  return { ok: true, sweep };
}

/** Everything that is wrong is told in the order of the file; what is about other files comes last. */
function failed(diagnostics: readonly Diagnostic[]): LoadedSweep {
  const order = (one: Diagnostic): number => (one.place === null ? Number.POSITIVE_INFINITY : one.place.line);
  const sorted = [...diagnostics].sort(
    (a, b) => order(a) - order(b) || (a.place?.column ?? 0) - (b.place?.column ?? 0),
  );
  return { ok: false, diagnostics: sorted };
}

function placed(source: SpecSource, found: readonly Found[]): readonly Diagnostic[] {
  return found.map(({ path, problem, part }) => problemAt(source, path, problem, part));
}

/** What has nothing to do with axes: the name of the file as a name, and the list of seeds. */
function plainProblems(source: SpecSource, grid: GridInput, name: string): readonly Diagnostic[] {
  const field = gridSchema.properties?.name;
  if (field?.pattern === undefined) throw new Error("internal: the schema says nothing of names");
  const found: Found[] = [];
  if (!new RegExp(field.pattern, "u").test(name)) {
    found.push({ path: ["name"], problem: errors.fileNameUnfit({ fileName: name, want: wantWords(field) }) });
  }
  const { seeds } = grid;
  if (seeds?.length === 0) found.push({ path: ["seeds"], problem: errors.emptyAxis({ what: "a list of seeds" }) });
  for (const [i, seed] of (seeds ?? []).entries()) {
    if (seeds?.indexOf(seed) !== i) found.push({ path: ["seeds", i], problem: errors.duplicateValue() });
  }
  return placed(source, found);
}

type Base =
  | {
      readonly ok: true;
      readonly file: string;
      /** What it says, with what it extends, and where relative paths in it start. */
      readonly document: JsonObject;
      readonly folder: string;
      readonly seed: number;
    }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** The base is a legal experiment by itself; what is wrong in it is told of its own file. */
function readBase(source: SpecSource, { base }: GridInput): Base {
  const file = isAbsolute(base) ? base : join(dirname(source.file), base);
  const read = readSpec(file);
  if (!read.ok) {
    const told = read.diagnostics.map((one) => {
      if (one.place !== null) return one;
      return problemAt(source, ["base"], { ...errors.baseUnusable({ base: file, said: one.what, hint: one.hint }) });
    });
    return { ok: false, diagnostics: told };
  }
  const { value } = read;
  if (isGrid(value)) {
    return { ok: false, diagnostics: [problemAt(source, ["base"], errors.baseIsGrid({ base: file }))] };
  }
  const loaded = specOf(read);
  if (!loaded.ok) return loaded;
  const { document, spec } = loaded;
  return { ok: true, file, document, folder: loaded.source.folder, seed: spec.seed };
}
