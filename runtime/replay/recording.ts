/** What `ijepa replay-step` and the program that records a step tell each other. */

/** How `ijepa replay-step` starts it: one JSON text as the only argument. */
export interface RecordRequest {
  /** Run folder. */
  readonly run: string;
  /** The step, from 1 as logs count. */
  readonly step: number;
  /** Folder that relative paths of the data start from. */
  readonly dataRoot: string;
  readonly threads: number;
  /** The safetensors file to write; its JSON goes beside it. */
  readonly out: string;
  /** The spec of the program, as JSON. */
  readonly spec: string;
  /** Whether the engine that is compared computes in bfloat16. */
  readonly comparedInBfloat16: boolean;
}

/** What the JSON of a recorded step says of how it was made. */
export interface RecordedHow {
  readonly run: string;
  readonly step: number;
  /** The checkpoint that it began with; null where that were the drawn weights. */
  readonly checkpoint: string | null;
  readonly fromStep: number;
  readonly engine: string;
  readonly loss: number;
  /** Losses of the log that were met again on the way: how many, and the largest difference. */
  readonly logged: { readonly losses: number; readonly largestDifference: number };
}
