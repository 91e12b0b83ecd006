/** Which points of a sweep a command is about: --only and --shard. */
import type { Diagnostic } from "../diagnostics/diagnostic";
import type { Sweep, SweepPoint } from "./sweep";

export interface Selection {
  /** Names or groups of points, with or without the name of the sweep before them; `*` and `?` stand for others. */
  readonly only?: readonly string[] | undefined;
  /** `i/n`, from 1/n to n/n: every n-th of the points. */
  readonly shard?: string | undefined;
}

export type SelectedPoints =
  | { readonly ok: true; readonly points: readonly SweepPoint[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** In the order of the grid, each once. */
export function selectPoints(sweep: Sweep, _selection: Selection): SelectedPoints {
  return { ok: true, points: sweep.points };
}
