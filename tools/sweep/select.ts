/** Which points of a sweep a command is about: --only and --shard. */
import { errors } from "../../compiler/diagnostics/catalogue";
import { type Diagnostic, unplaced } from "../../compiler/diagnostics/diagnostic";
import { nearest } from "../../compiler/diagnostics/near";
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

/**
 * In the order of the grid, each once. --only first, then --shard in turns: shards of one selection differ by a point at
 * most and are the same on every machine.
 */
export function selectPoints(sweep: Sweep, { only = [], shard }: Selection): SelectedPoints {
  const chosen = only.length === 0 ? [] : only.map((wanted) => matching(sweep, wanted));
  const missing = only.filter((_, i) => chosen[i]?.size === 0);
  const part = shard === undefined ? { index: 0, count: 1 } : shardOf(shard);
  const diagnostics = [
    ...missing.map((wanted) => unplaced(null, errors.noSuchPoint({ wanted, near: nearestName(sweep, wanted) }))),
    ...(part === null ? [unplaced(null, errors.badShard({ found: JSON.stringify(shard) }))] : []),
  ];
  if (diagnostics.length > 0 || part === null) return { ok: false, diagnostics };
  const points =
    only.length === 0 ? sweep.points : sweep.points.filter(({ index }) => chosen.some((found) => found.has(index)));
  return { ok: true, points: points.filter((_, i) => i % part.count === part.index) };
}

/** Indices of the points that a name, a group or a pattern stands for. */
function matching(sweep: Sweep, wanted: string): ReadonlySet<number> {
  const pattern = patternOf(wanted);
  const matches = (name: string): boolean => pattern.test(name) || pattern.test(withoutSweep(sweep, name));
  const found = sweep.points.filter(({ name, group }) => matches(name) || matches(group));
  return new Set(found.map(({ index }) => index));
}

function withoutSweep({ name }: Sweep, text: string): string {
  return text.startsWith(`${name}-`) ? text.slice(name.length + 1) : text;
}

/** Only `*` and `?` are special; names hold nothing else that could be. */
function patternOf(wanted: string): RegExp {
  const escaped = wanted.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replace(/\*+/g, ".*").replaceAll("?", ".")}$`, "su");
}

function nearestName(sweep: Sweep, wanted: string): string | null {
  const names = [...new Set(sweep.points.flatMap(({ name, group }) => [name, group]))];
  const found = nearest(wanted, names);
  if (found !== null) return found;
  const short = new Map(names.map((name) => [withoutSweep(sweep, name), name]));
  return short.get(nearest(wanted, [...short.keys()]) ?? "") ?? null;
}

/** Far above any number of machines. */
const mostShards = 10_000;

function shardOf(text: string): { readonly index: number; readonly count: number } | null {
  const match = /^(\d{1,5})\/(\d{1,5})$/.exec(text);
  if (match === null) return null;
  const [index, count] = [Number(match[1]), Number(match[2])];
  return index < 1 || index > count || count > mostShards ? null : { index: index - 1, count };
}
