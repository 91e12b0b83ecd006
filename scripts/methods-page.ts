/** The tables of docs/methods.md: the methods on the quickstart's scenes (docs/methods.json), at equal epochs and equal compute. */
import { join } from "node:path";
import { markdownTable, pageWith, root } from "./regions";
import { type Sample, sampleOf } from "./statistics";
import { meansOfTasks, type SweptGroup, type SweptRecord, sweptRecords, tasks, valuesOf } from "./sweeps-record";

export function methodsPage(): string {
  const records = sweptRecords(join(root, "docs/methods.json"));
  const recordOf = (sweep: string): SweptRecord => {
    const found = records.find((record) => record.sweep === sweep);
    if (found === undefined) throw new Error(`docs/methods.json lacks ${sweep}`);
    return found;
  };
  const epochs = recordOf("methods");
  const compute = recordOf("methods-compute");
  return pageWith("docs/methods.md", {
    epochs: methodsTable(epochs),
    compute: methodsTable({ ...compute, groups: [...asCostly(epochs.groups, compute.groups), ...compute.groups] }),
    cost: costTable(epochs),
  });
}

/** Groups that were not trained once more, since they take the operations of the others as they are. */
const asCostly = (groups: readonly SweptGroup[], others: readonly SweptGroup[]): readonly SweptGroup[] =>
  groups.filter(({ labels }) => !others.some((other) => other.labels.join() === labels.join()));

export function methodsTable({ engine, date, seeds, groups }: SweptRecord): string {
  const heads = [
    ...["", "epochs", "TFLOP"],
    ...tasks.map((task) => `${task}, probe, %`),
    ...["mean of the three", "k-NN, mean, %", "RankMe"],
  ];
  const rows = groups.map((group) => [
    nameOf(group),
    String(group.epochs),
    (group.flops / 1e12).toFixed(1),
    ...tasks.map((task) => text(sampleOf(valuesOf(group, `${task}.linearProbe`)))),
    text(sampleOf(meansOfTasks(group, "linearProbe"))),
    text(sampleOf(meansOfTasks(group, "knn"))),
    text(sampleOf(valuesOf(group, "rankMe"))),
  ]);
  return `${markdownTable(heads, rows)}\n\nSeeds ${seeds.join(", ")}; mean ± standard deviation; ${date}, ${engine}.`;
}

/**
 * When each method first has the accuracy that all of them come to: the mean of the three probes over the seeds, looked at
 * after every epoch.
 */
export function costTable({ groups }: SweptRecord): string {
  const finals = groups.map((group) => sampleOf(meansOfTasks(group, "linearProbe")).mean);
  const common = Math.min(...finals);
  const rows = groups.map((group) => {
    const epoch = curveOf(group).find(([, value]) => 100 * value >= common)?.[0] ?? group.epochs;
    return [nameOf(group), String(epoch), ((group.flops * epoch) / group.epochs / 1e12).toFixed(1)];
  });
  return markdownTable(["", `epochs to ${common.toFixed(1)} %`, "TFLOP"], rows);
}

const nameOf = ({ labels }: SweptGroup): string => `\`${labels.join(" ")}\``;

function curveOf({ curves }: SweptGroup): readonly (readonly [epoch: number, value: number])[] {
  const all = tasks.map((task) => curves[`${task}.linearProbe`] ?? []);
  const [first = []] = all;
  return first.map(([epoch], i) => [epoch, all.reduce((sum, curve) => sum + (curve[i]?.[1] ?? 0), 0) / tasks.length]);
}

const text = ({ mean, deviation }: Sample): string => `${mean.toFixed(1)} ± ${deviation.toFixed(1)}`;
