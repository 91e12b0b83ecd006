/** What came out of a sweep, as plain records: gathered from run folders, then written as CSV, JSON, Markdown and HTML. */
import type { MetricPoint } from "../../../runtime/report/metric";
import type { PointIdentity, Sweep } from "../sweep";

/** In the order in which they are counted for people. `stale`: the run is of an earlier spec, or of another generator. */
export const pointStates = ["finished", "running", "stopped", "interrupted", "failed", "stale", "waiting"] as const;
export type PointState = (typeof pointStates)[number];

/** What a run folder says of its point as a whole. */
export interface PointStatus {
  readonly state: PointState;
  /** Why it failed or stopped, in words, where that is known. */
  readonly message: string | null;
}

export interface MetricValue extends MetricPoint {
  /** Of an accuracy, for the number of its test images; null of other numbers. */
  readonly standardError: number | null;
}

/** A value at a place of training, in epochs with fractions. */
export interface CurvePoint {
  readonly epoch: number;
  readonly value: number;
}

export interface PointResult extends PointIdentity, PointStatus {
  /** Optimizer steps done, and of the whole training; null where nothing says so yet. */
  readonly stepsDone: number;
  readonly steps: number | null;
  /** Whole epochs done, and of the whole training. */
  readonly epochsDone: number;
  readonly epochs: number;
  /** Of the last step that is logged. */
  readonly lastLoss: number | null;
  /** Every metric where it was measured last, by name; `loss` is the mean of the last whole epoch. */
  readonly metrics: Readonly<Record<string, MetricValue>>;
  /** Images behind every accuracy; null without an evaluation. */
  readonly testImages: number | null;
  /** Median over steps. */
  readonly imagesPerSecond: number | null;
  /** Time of training and evaluation; what was lost to a crash is not in it. */
  readonly wallMs: number | null;
  readonly engine: string | null;
  /** sha256 of the canonical spec, and of the generator that made the trainer. */
  readonly specHash: string;
  readonly generatorHash: string | null;
  /** Every metric by epoch. */
  readonly curves: Readonly<Record<string, readonly MetricPoint[]>>;
  /** The loss of single steps: means of short spans, which are the same for all points of the sweep. */
  readonly stepLoss: readonly CurvePoint[];
}

/** Of one number over the points of a group. */
export interface Spread {
  readonly n: number;
  readonly mean: number;
  /** Sample standard deviation, and standard error of the mean; null of a single value. */
  readonly sd: number | null;
  readonly standardError: number | null;
  readonly min: number;
  readonly max: number;
}

export interface GroupMetric extends Spread {
  /** The last epoch at which a point of the group has the metric; the values are those at this epoch. */
  readonly epoch: number;
  /** Standard error for the number of test images, where it is an accuracy: all seeds share it, so it stays in the mean. */
  readonly testError: number | null;
}

/** What a difference has to exceed to count as one. */
export interface Noise {
  readonly value: number;
  readonly from: "seeds" | "test images";
}

/** To the best group, by the metric of the sweep. */
export interface Comparison {
  /** Mean of this group less mean of the best, both at the end of this epoch, or each at its own last one (null). */
  readonly difference: number;
  readonly epoch: number | null;
  /** Null where nothing says how large it is: single seeds of a number that is no accuracy. */
  readonly noise: Noise | null;
  readonly withinNoise: boolean | null;
}

export interface GroupSummary {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Names of its points, by seed. */
  readonly points: readonly string[];
  readonly states: Readonly<Partial<Record<PointState, number>>>;
  readonly metrics: Readonly<Record<string, GroupMetric>>;
  /** Whether the metric of the sweep is known at the last epoch of the training, for some of the points at least. */
  readonly complete: boolean;
  /** Null for the best group itself, and where there is nothing to compare. */
  readonly comparison: Comparison | null;
  /** Mean over the points. */
  readonly imagesPerSecond: number | null;
  readonly wallMs: number | null;
  /** What a reader has to know of the numbers: points that are not in them, and why. */
  readonly notes: readonly string[];
}

export interface Results {
  readonly sweep: Pick<Sweep, "name" | "description" | "file" | "base" | "axes" | "seeds" | "metric" | "stop">;
  /** Names of all metrics that any point has; that of the sweep first, then the loss. */
  readonly metrics: readonly string[];
  /** Images behind every accuracy, where all points have as many. */
  readonly testImages: number | null;
  readonly states: Readonly<Partial<Record<PointState, number>>>;
  readonly points: readonly PointResult[];
  /** Best first; those that are not complete after those that are. */
  readonly groups: readonly GroupSummary[];
  /** Name of the best group; null as long as no point has the metric. */
  readonly best: string | null;
  /** Whether the best is so of groups that are all still short of their last epoch. */
  readonly provisional: boolean;
}
