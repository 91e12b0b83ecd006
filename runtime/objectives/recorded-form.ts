/** How recorded runs of an objective name what they hold (docs/parity.md). */

/** Sizes of a micro-batch that is recorded. */
export interface RecordedSizes {
  readonly images: number;
  /** Images as masks count them: one of each set. */
  readonly masked: number;
  readonly contexts: number;
  readonly targets: number;
  readonly contextTokens: number;
  readonly targetTokens: number;
  /** Of an image. */
  readonly patches: number;
  /** Values of a patch. */
  readonly values: number;
  readonly width: number;
  readonly classTokens: number;
}

/** A value of the forward pass that a recorded run holds. */
export interface RecordedValue {
  /** Name in the trace: `fwd.context`. */
  readonly tensor: string;
  /** Name among the outputs of observe.ts, which is that of a chain or `loss`. */
  readonly output: string;
  readonly group: "targets" | "context" | "predictions" | "losses";
  readonly shape: (of: RecordedSizes) => readonly number[];
}

/** How a recorded run of an objective names what it holds (runtime/replay). */
export interface RecordedForm {
  /** Whether an image may have several sets of masks. */
  readonly severalSets: boolean;
  readonly forward: readonly RecordedValue[];
  /** Numbers of the forward pass that some runs hold beside them. */
  readonly also?: readonly Pick<RecordedValue, "tensor" | "output" | "group">[];
  /** The second transformer: its name, and the weight that tells its hidden width; null where there is none. */
  readonly second: { readonly name: string; readonly hidden: string } | null;
  /** Losses of every step, by one rank. */
  readonly losses: readonly string[];
}
