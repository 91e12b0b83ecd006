/** Points to groups: means over seeds, the best group, and how far the others are from it. */
import { isAccuracy } from "../../../runtime/report/metric";
import type { Sweep, SweepMetric } from "../sweep";
import type { Comparison, GroupMetric, GroupSummary, Noise, PointResult, PointState, Results, Spread } from "./results";
import { pointStates } from "./results";
import { normal95, shareError, spreadOf, welch95 } from "./statistics";

type Group = { readonly summary: GroupSummary; readonly counted: readonly PointResult[] };

export function summarize(sweep: Sweep, points: readonly PointResult[]): Results {
  const { name, description, file, base, axes, seeds, metric, stop } = sweep;
  const metrics = metricOrder(points, metric.name);
  const groups = byGroup(points).map((members) => groupOf(members, metrics, metric.name));
  const ranked = rank(groups, metric);
  const best = ranked.find(({ summary }) => summary.metrics[metric.name] !== undefined) ?? null;
  return {
    sweep: { name, description, file, base, axes, seeds, metric, stop },
    metrics,
    testImages: imagesOf(points),
    states: countStates(points),
    points,
    groups: ranked.map((group) => ({
      ...group.summary,
      comparison: best === null || group === best ? null : compare(group, best, metric.name),
    })),
    best: best?.summary.name ?? null,
    provisional: best !== null && !best.summary.complete,
  };
}

/** The sweep's own metric, the loss, and then as the first point that has them names them. */
function metricOrder(points: readonly PointResult[], first: string): readonly string[] {
  const found = new Set(points.flatMap(({ curves }) => Object.keys(curves)));
  return [...new Set([first, "loss", ...found])].filter((name) => found.has(name));
}

function byGroup(points: readonly PointResult[]): readonly (readonly PointResult[])[] {
  const groups = new Map<string, PointResult[]>();
  for (const point of points) groups.set(point.group, [...(groups.get(point.group) ?? []), point]);
  return [...groups.values()];
}

export function countStates(points: readonly PointResult[]): Results["states"] {
  return Object.fromEntries(
    pointStates
      .map((state): [PointState, number] => [state, points.filter((point) => point.state === state).length])
      .filter(([, count]) => count > 0),
  );
}

/** A failed point is in no mean, however far it came: what failed it may have spoilt its numbers before. */
function groupOf(members: readonly PointResult[], metrics: readonly string[], metric: string): Group {
  const counted = members.filter(({ state }) => state !== "failed");
  const found = Object.fromEntries(
    metrics.flatMap((name): readonly [string, GroupMetric][] => {
      const epoch = Math.max(0, ...counted.map(({ metrics: last }) => last[name]?.epoch ?? 0));
      const spread = spreadAt(counted, name, epoch);
      if (spread === null) return [];
      return [[name, { ...spread, epoch, testError: testErrorOf(name, spread, imagesOf(counted)) }]];
    }),
  );
  const main = found[metric];
  const epochs = Math.max(...members.map((point) => point.epochs));
  const summary: GroupSummary = {
    name: members[0]?.group ?? "",
    labels: members[0]?.labels ?? {},
    points: members.map(({ name }) => name),
    states: countStates(members),
    metrics: found,
    complete: main !== undefined && main.epoch >= epochs,
    comparison: null,
    imagesPerSecond: meanOf(counted.map(({ imagesPerSecond }) => imagesPerSecond)),
    wallMs: meanOf(counted.filter(({ state }) => state === "finished").map(({ wallMs }) => wallMs)),
    notes: notesOf(members, metric, main ?? null, epochs),
  };
  return { summary, counted };
}

/** Where all that were evaluated have as many; null otherwise. */
function imagesOf(points: readonly PointResult[]): number | null {
  const [images = null, ...others] = new Set(points.flatMap(({ testImages }) => testImages ?? []));
  return others.length > 0 ? null : images;
}

function testErrorOf(metric: string, { mean }: Spread, testImages: number | null): number | null {
  return isAccuracy(metric) && testImages !== null ? shareError(mean, testImages) : null;
}

/** Over the points that have the metric at this very epoch. */
function spreadAt(points: readonly PointResult[], metric: string, epoch: number): Spread | null {
  return spreadOf(
    points.flatMap(({ curves }) => curves[metric]?.find((measured) => measured.epoch === epoch)?.value ?? []),
  );
}

const plural = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`;

function notesOf(
  members: readonly PointResult[],
  metric: string,
  main: GroupMetric | null,
  epochs: number,
): readonly string[] {
  const notes: string[] = [];
  if (main !== null && main.epoch < epochs) notes.push(`measured at epoch ${main.epoch} of ${epochs}`);
  const isShort = ({ metrics }: PointResult): boolean => (metrics[metric]?.epoch ?? 0) < (main?.epoch ?? 1);
  for (const state of pointStates) {
    const those = members.filter((point) => point.state === state);
    if (those.length === 0) continue;
    if (state === "failed") {
      notes.push(`${plural(those.length, "seed")} failed, not in the mean`);
    } else if (state === "stale") {
      const used = those.filter(({ stepsDone }) => stepsDone > 0).length;
      if (used > 0) notes.push(`${plural(used, "seed")} by another version of the generator`);
      if (used < those.length) notes.push(`${plural(those.length - used, "seed")} stale, not in the mean`);
    } else if (state === "stopped" || state === "interrupted" || state === "running") {
      const reached = [...new Set(those.map(({ epochsDone }) => epochsDone))].sort((a, b) => a - b);
      const where = `after epoch ${reached.join(", ")}`;
      const left = main !== null && those.some(isShort) ? ", not in the mean" : "";
      const early = state === "stopped" ? "stopped early" : state;
      notes.push(`${plural(those.length, "seed")} ${early} ${where}${left}`);
    } else if (state === "waiting") {
      if (those.length < members.length) notes.push(`${plural(those.length, "seed")} waiting`);
    } else if (those.some(({ metrics }) => metrics[metric] === undefined)) {
      notes.push(`${plural(those.length, "seed")} finished without ${metric}`);
    }
  }
  return notes;
}

/** Complete groups by value, then the others by how far they came and by value, then those without one as in the grid. */
function rank(groups: readonly Group[], { name, goal }: SweepMetric): readonly Group[] {
  const sign = goal === "max" ? -1 : 1;
  const place = ({ summary, counted }: Group): readonly number[] => {
    const main = summary.metrics[name];
    if (main === undefined) return [2, 0, 0];
    const share = main.epoch / Math.max(...counted.map(({ epochs }) => epochs));
    return summary.complete ? [0, 0, sign * main.mean] : [1, -share, sign * main.mean];
  };
  return groups
    .map((group) => ({ group, place: place(group) }))
    .sort((a, b) => {
      const differs = a.place.findIndex((value, i) => value !== b.place[i]);
      return differs < 0 ? 0 : (a.place[differs] ?? 0) - (b.place[differs] ?? 0);
    })
    .map(({ group }) => group);
}

/**
 * Two complete groups at their ends; else at the last epoch of the one that came less far, so that nothing is held
 * against a point but what it did in the same time. Null where the two have no such epoch in common.
 */
function compare(group: Group, best: Group, metric: string): Comparison | null {
  const [mine, its] = [group.summary.metrics[metric], best.summary.metrics[metric]];
  if (mine === undefined || its === undefined) return null;
  const bothEnd = group.summary.complete && best.summary.complete;
  const epoch = bothEnd ? null : Math.min(mine.epoch, its.epoch);
  const a = epoch === null ? mine : spreadAt(group.counted, metric, epoch);
  const b = epoch === null ? its : spreadAt(best.counted, metric, epoch);
  if (a === null || b === null) return null;
  const difference = a.mean - b.mean;
  const noise = noiseOf(
    { ...a, testError: testErrorOf(metric, a, imagesOf(group.counted)) },
    { ...b, testError: testErrorOf(metric, b, imagesOf(best.counted)) },
  );
  return { difference, epoch, noise, withinNoise: noise === null ? null : Math.abs(difference) <= noise.value };
}

/**
 * The larger of two intervals of 95 %: over the seeds, where both groups have two or more, and for the number of test
 * images, of an accuracy. All seeds share the test images, so no number of seeds makes the second smaller.
 */
export function noiseOf(a: Tested, b: Tested): Noise | null {
  const seeds = welch95(a, b);
  const test = a.testError === null || b.testError === null ? null : normal95 * Math.hypot(a.testError, b.testError);
  if (seeds === null && test === null) return null;
  return (seeds ?? 0) >= (test ?? 0) ? { value: seeds ?? 0, from: "seeds" } : { value: test ?? 0, from: "test images" };
}

type Tested = Spread & Pick<GroupMetric, "testError">;

function meanOf(values: readonly (number | null)[]): number | null {
  return spreadOf(values.filter((value) => value !== null))?.mean ?? null;
}
