/** From a grid file to the points of a sweep, or to everything that is wrong with it. */
import { errors } from "../../compiler/diagnostics/catalogue";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic";
import { type ReadResult, readSpec } from "../../compiler/spec/read";
import { problemAt, type SpecSource } from "../../compiler/spec/source";
import { wantWords } from "../../compiler/spec/words";
import { axesOf, type Found } from "./axes";
import { basesOf } from "./bases";
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
  const bases = basesOf(source, grid);
  const early = [...plainProblems(source, grid, name), ...diagnostics, ...(bases.ok ? [] : bases.diagnostics)];
  if (early.length > 0 || !bases.ok) return failed(early);

  const built = pointsOf({ source, grid, name, axes, baseOf: bases.of });
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
    base: bases.all.map(({ file }) => file).join(", "),
    axes: axes.map((axis) => ({ name: axis.name, pointers: axis.pointers })),
    seeds: grid.seeds ?? [...new Set(points.map(({ seed }) => seed))],
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
