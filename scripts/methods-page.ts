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
  const all = recordOf("methods");
  const epochs = { ...all, groups: inOrder(all.groups) };
  const compute = recordOf("methods-compute");
  return pageWith("docs/methods.md", {
    epochs: methodsTable(epochs),
    compute: methodsTable({ ...compute, groups: inOrder([...asCostly(epochs.groups), ...compute.groups]) }),
    cost: costTable(epochs),
  });
}

/** Of the rows; methods may be recorded in any order. */
const order = ["ijepa", "ijepa-vicreg", "mae", "simmim", "data2vec"];

const placeOf = ({ labels }: SweptGroup): number => order.indexOf(labels.join(" "));
const inOrder = (groups: readonly SweptGroup[]) => groups.toSorted((a, b) => placeOf(a) - placeOf(b));

/** What a training may take beside that of the first group to count as equal in compute. */
const TOLERANCE = 0.05;

/** Groups of equal epochs that take the operations of the first of them: they need not be trained once more. */
export function asCostly(groups: readonly SweptGroup[]): readonly SweptGroup[] {
  const [first] = groups;
  return groups.filter(({ flops }) => Math.abs(flops / (first?.flops ?? flops) - 1) <= TOLERANCE);
}

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
 * When each method first has the accuracy that the middle one of them comes to: the mean of the three probes over the seeds,
 * looked at after every epoch.
 */
export function costTable({ groups }: SweptRecord): string {
  const finals = groups.map((group) => sampleOf(meansOfTasks(group, "linearProbe")).mean);
  const middle = finals.toSorted((a, b) => a - b)[Math.floor((finals.length - 1) / 2)] ?? 0;
  const rows = groups.map((group) => {
    // The same mean summed in another order may differ in its last bit.
    const epoch = curveOf(group).find(([, value]) => 100 * value >= middle - 1e-9)?.[0];
    const flops = epoch === undefined ? undefined : (group.flops * epoch) / group.epochs;
    return [
      nameOf(group),
      epoch === undefined ? "–" : String(epoch),
      flops === undefined ? "–" : (flops / 1e12).toFixed(1),
    ];
  });
  return markdownTable(["", `epochs to ${middle.toFixed(1)} %`, "TFLOP"], rows);
}

const nameOf = ({ labels }: SweptGroup): string => `\`${labels.join(" ")}\``;

function curveOf({ curves }: SweptGroup): readonly (readonly [epoch: number, value: number])[] {
  const all = tasks.map((task) => curves[`${task}.linearProbe`] ?? []);
  const [first = []] = all;
  return first.map(([epoch], i) => [epoch, all.reduce((sum, curve) => sum + (curve[i]?.[1] ?? 0), 0) / tasks.length]);
}

const text = ({ mean, deviation }: Sample): string => `${mean.toFixed(1)} ± ${deviation.toFixed(1)}`;
