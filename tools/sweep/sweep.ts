/**
 * A sweep: a base experiment, or several, and a grid of changes to them. What a grid file comes to, as plain records between the
 * parts of `ijepa sweep`: load (grid file → Sweep), select (--only, --shard), check, run by an executor, results.
 */
import type { JsonValue } from "../../compiler/spec/json";
import type { Spec } from "../../compiler/spec/spec";

/** Which point of a sweep it is, as its run and the results say it too. */
export interface PointIdentity {
  /** Place in the grid, from 0: the axes in order, the last one fastest, the seed within. The same for every selection. */
  readonly index: number;
  /** Name of its experiment, a legal one and unique: `<sweep>-<label of each axis>[-s<seed>]`. */
  readonly name: string;
  /** The name without its seed: points of one group differ in nothing else, and are averaged. */
  readonly group: string;
  /** Label by axis name, in the order of the axes; without the seed. */
  readonly labels: Readonly<Record<string, string>>;
  /** What the point sets in the base, by JSON pointer: `set` of the grid, then the axes, then the seed. */
  readonly values: Readonly<Record<string, JsonValue>>;
  readonly seed: number;
}

/** One experiment of a sweep. */
export interface SweepPoint extends PointIdentity {
  /** The whole experiment as JSON that `ijepa compile` takes, `name` included. */
  readonly text: string;
  readonly spec: Spec;
  /** sha256 of the canonical spec. */
  readonly hash: string;
  /** Absolute: where relative paths of the data start. */
  readonly dataFolder: string;
}

/** Which number of a run is compared: see runtime/report/metric.ts. */
export interface SweepMetric {
  /** `loss`, `rankMe`, `featureSpread`, `<task>.linearProbe` or `<task>.knn`. */
  readonly name: string;
  readonly goal: "max" | "min";
}

/** When a point is given up before its last epoch. */
export type StopRule =
  /** At the end of these epochs its metric must be at least (goal max) or at most (goal min) this. */
  | { readonly rule: "floor"; readonly floors: readonly { readonly epoch: number; readonly value: number }[] }
  /** After each of these epochs only the best share of the points that are left goes on (successive halving). */
  | { readonly rule: "halving"; readonly epochs: readonly number[]; readonly keep: number };

export interface Sweep {
  readonly name: string;
  readonly description: string;
  /** The grid file as the user named it. */
  readonly file: string;
  /** That of the experiment that the points change; of several, all with commas between. */
  readonly base: string;
  readonly axes: readonly { readonly name: string; readonly pointers: readonly string[] }[];
  readonly seeds: readonly number[];
  readonly metric: SweepMetric;
  readonly stop: StopRule | null;
  readonly points: readonly SweepPoint[];
}
