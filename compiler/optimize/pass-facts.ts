/** What the passes did, as plain records: report.md and `ijepa diff` tell it in words. */
import type { Chain } from "../ir/stage";
import type { Model } from "../model/model";

export type PassName =
  | "fuse ends"
  | "select tokens early"
  | "share tiles"
  | "simplify"
  | "remove dead"
  | "cast operands";

/** One pass and one function: what the pass made of it, or why it did not apply. */
export interface PassFact {
  readonly pass: PassName;
  readonly chain: Chain["name"] | "loss";
  readonly applied: boolean;
  /** The function as it is called afterwards; of a pass that did not apply, as it would be. */
  readonly function: string;
  /** The functions that it is made of: several where the pass joins them. */
  readonly from: readonly string[];
  /** One clause, e.g. `the context is the same for every target block`. */
  readonly because: string;
  /** Forward operations of one call per image, in the most probable program. The backward pass saves about twice as much. */
  readonly flopsBefore: number;
  readonly flopsAfter: number;
}

/** A model after the passes, with what they did: by network in the order of the step, then by pass. */
export interface OptimizedModel extends Model {
  readonly passes: readonly PassFact[];
}
