/** The rule of a pair of bounds; of a field that a spec has not, `pair` gives undefined. */
import { errors } from "../diagnostics/catalogue";
import type { Rule } from "./rule";
import type { Spec } from "./spec";

type Pair = readonly [low: number, high: number];

export function rises<S extends Spec = Spec>(field: string, pair: (spec: S) => Pair | undefined): Rule<S> {
  return {
    name: `${field} rises`,
    reads: [field],
    check: ({ spec }) => {
      const [low, high] = pair(spec) ?? [0, 0];
      return low <= high ? [] : [{ path: field.split("."), problem: errors.reversedRange({ low, high }) }];
    },
  };
}
