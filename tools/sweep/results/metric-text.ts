/** Metrics and their numbers as a person reads them. */
import { isAccuracy } from "../../../runtime/report/metric";
import type { Comparison, GroupMetric } from "./results";

export interface MetricText {
  readonly name: string;
  /** For an axis or a heading: `shape: linear probe`. */
  readonly title: string;
  /** `%`, or nothing. */
  readonly unit: string;
  /** Shown numbers are this many times the metric. */
  readonly scale: number;
  readonly decimals: number;
}

export function metricText(name: string): MetricText {
  if (isAccuracy(name)) {
    const dot = name.lastIndexOf(".");
    const probe = name.slice(dot + 1) === "knn" ? "k-NN" : "linear probe";
    return { name, title: `${name.slice(0, dot)}: ${probe}`, unit: "%", scale: 100, decimals: 1 };
  }
  if (name === "rankMe") return { name, title: "RankMe", unit: "", scale: 1, decimals: 1 };
  if (name === "featureSpread") return { name, title: "feature spread", unit: "", scale: 1, decimals: 3 };
  return { name, title: name, unit: "", scale: 1, decimals: 4 };
}

/** `shape: linear probe (%)` */
export const titleWithUnit = ({ title, unit }: MetricText): string => (unit === "" ? title : `${title} (${unit})`);

export const numberText = ({ scale, decimals }: MetricText, value: number): string => (scale * value).toFixed(decimals);

/** `41.2 ± 0.6`, the second the standard deviation over seeds; `41.2` of a single one. */
export function meanText(text: MetricText, { mean, sd }: GroupMetric): string {
  return sd === null ? numberText(text, mean) : `${numberText(text, mean)} ± ${numberText(text, sd)}`;
}

/** `−3.1 (noise)`, `−3.1 at epoch 2`; nothing where there is nothing to compare. */
export function differenceText(text: MetricText, comparison: Comparison | null): string {
  if (comparison === null) return "";
  const { difference, epoch, withinNoise } = comparison;
  const size = numberText(text, Math.abs(difference));
  const sign = Number(size) === 0 ? "" : difference < 0 ? "−" : "+";
  const at = epoch === null ? "" : ` at epoch ${epoch}`;
  return `${sign}${size}${at}${withinNoise === true ? " (noise)" : ""}`;
}
