/** Grids on the quickstart, from their text, and what is wrong with them as one line each. */
import { fileURLToPath } from "node:url";
import { oneLine } from "../../../compiler/diagnostics/diagnostic";
import type { JsonValue } from "../../../compiler/spec/json";
import { parseSpec } from "../../../compiler/spec/read";
import { type LoadedSweep, sweepOf } from "../../../tools/sweep/load";
import type { Sweep } from "../../../tools/sweep/sweep";

export const root = fileURLToPath(new URL("../../..", import.meta.url));
/** A file that is not there, in the folder of the committed grids. */
export const file = "experiments/sweeps/grid.json";

/** An axis of two points, and a field that takes any number of values. */
export const count = { pointer: "/masking/targets/count", values: [1, 4] };
export const momentum = "/optimization/momentum/start";

/** A grid on the quickstart. */
export function grid(rest: { readonly [key: string]: JsonValue }): string {
  return JSON.stringify({ base: "../quickstart.json", ...rest });
}

export function load(text: string): LoadedSweep {
  return sweepOf(parseSpec({ text, file }));
}

/** Throws with what is wrong. */
export function sweep(rest: { readonly [key: string]: JsonValue }): Sweep {
  const loaded = load(grid(rest));
  if (!loaded.ok) throw new Error(loaded.diagnostics.map(oneLine).join("\n"));
  return loaded.sweep;
}

/** One line each: what it points at, and what is said. */
export function complaints(text: string): string[] {
  const loaded = load(text);
  if (loaded.ok) return [];
  return loaded.diagnostics.map((diagnostic) => {
    const { place, path: _, ...rest } = diagnostic;
    const marked = place === null ? "" : place.lineText.slice(place.column - 1, place.column - 1 + place.length);
    const line = oneLine({ ...rest, file: diagnostic.file === file ? null : diagnostic.file, place: null, path: null });
    return `${marked} → ${line}`;
  });
}
