/** One choice on every axis of a grid. */
import type { JsonValue } from "../../compiler/spec/json";

/** A combination, before it is made an experiment. */
export interface Combination {
  readonly name: string;
  readonly group: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, JsonValue>>;
  readonly seed: number;
  /** The experiment that it changes, as the grid names it; undefined: the base of the grid. */
  readonly base: string | undefined;
  /** The place on each axis. */
  readonly steps: readonly number[];
}
