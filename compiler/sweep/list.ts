/** What a sweep consists of: for people, for programs, and for the matrix of a GitHub workflow. */
import type { Diagnostic } from "../diagnostics/diagnostic";
import type { Sweep, SweepPoint } from "./sweep";

export type ListFormat = "text" | "json" | "github";

export interface ListOptions {
  readonly format: ListFormat;
  /** With `github`: a matrix of so many shards instead of one of points. */
  readonly shards?: number | undefined;
}

export type Listing =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** The text ends with a line break; `github` is one line of JSON. `points` are those that are selected. */
export function listSweep(_sweep: Sweep, _points: readonly SweepPoint[], _options: ListOptions): Listing {
  return { ok: true, text: "" };
}
