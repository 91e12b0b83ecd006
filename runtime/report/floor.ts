/** Floors: what a metric must have reached at the end of an epoch for the run to go on. As a flag: `shape.knn@3=0.3`. */
import type { LogEvent } from "./jsonl";
import { metricCurve } from "./metric";

export interface Floor {
  /** See metric.ts. */
  readonly metric: string;
  /** From 1: judged at the end of this epoch. */
  readonly epoch: number;
  readonly value: number;
  /** `max`: at least `value` goes on; `min`: at most. */
  readonly goal: "max" | "min";
}

/** A loss should fall, everything else should rise. */
export const usualGoal = (metric: string): Floor["goal"] => (metric === "loss" ? "min" : "max");

/** `metric@epoch=value`; `>=` or `<=` instead of `=` where the goal is not the usual one. */
export function floorText({ metric, epoch, value, goal }: Floor): string {
  const sign = goal === usualGoal(metric) ? "=" : goal === "max" ? ">=" : "<=";
  return `${metric}@${epoch}${sign}${value}`;
}

/** Null where the text is no floor. */
export function parseFloor(text: string): Floor | null {
  const [, metric = "", epoch = "", sign = "", value = ""] = /^([\w.-]+)@(\d{1,9})(>=|<=|=)(\S+)$/.exec(text) ?? [];
  if (metric === "" || Number(epoch) < 1 || !Number.isFinite(Number(value))) return null;
  const goal = sign === "=" ? usualGoal(metric) : sign === ">=" ? "max" : "min";
  return { metric, epoch: Number(epoch), value: Number(value), goal };
}

/** What the metric was, and whether that is enough; null where the log does not have it at that epoch. */
export function judge(
  floor: Floor,
  events: readonly LogEvent[],
): { readonly value: number; readonly passes: boolean } | null {
  const value = metricCurve(events, floor.metric).find(({ epoch }) => epoch === floor.epoch)?.value;
  if (value === undefined) return null;
  return { value, passes: floor.goal === "max" ? value >= floor.value : value <= floor.value };
}

/** Why a run ends: one sentence without its full stop. */
export function missText(floor: Floor, value: number): string {
  const want = floor.goal === "max" ? "at least" : "at most";
  return `${floor.metric} is ${Number(value.toPrecision(4))} after epoch ${floor.epoch}, and goes on with ${want} ${floor.value}`;
}
