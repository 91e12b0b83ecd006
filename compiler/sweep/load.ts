/** From a grid file to the points of a sweep, or to everything that is wrong with it. */
import type { Diagnostic } from "../diagnostics/diagnostic";
import type { Sweep } from "./sweep";

export type LoadedSweep =
  | { readonly ok: true; readonly sweep: Sweep }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Reads a grid, its base, and makes every point a whole experiment. Never throws for what is in the files. */
export function loadSweep(_file: string): LoadedSweep {
  return { ok: false, diagnostics: [] };
}
