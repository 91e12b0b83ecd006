/** Sweeps whose runs are made up: a grid of points, and run folders as a trainer would leave them. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generatorHash } from "../../../../compiler/output/generator";
import { loadSpec } from "../../../../compiler/spec/load";
import type { Spec } from "../../../../compiler/spec/spec";
import type { EvaluationReport } from "../../../../runtime/evaluate/evaluation-report";
import type { LogEvent } from "../../../../runtime/report/jsonl";
import { runFolder, type SweepFolders } from "../../../../tools/sweep/folders";
import { recordOf, writeRecord } from "../../../../tools/sweep/record";
import { gatherResults } from "../../../../tools/sweep/results/index";
import type { PointStatus, Results } from "../../../../tools/sweep/results/results";
import type { Sweep, SweepPoint } from "../../../../tools/sweep/sweep";

const base = loadSpec("experiments/quickstart.json");
if (!base.ok) throw new Error("internal: the quickstart does not load");
const { spec } = base;

export interface MadeSweep {
  readonly name?: string;
  readonly description?: string;
  readonly axes?: Readonly<Record<string, readonly string[]>>;
  readonly seeds?: readonly number[];
  readonly epochs?: number;
  readonly metric?: Sweep["metric"];
}

export function madeSweep(made: MadeSweep = {}): Sweep {
  const { name = "grid", description = "", axes = { width: ["48", "96"] }, seeds = [0, 1], epochs = 2 } = made;
  let combinations: readonly Readonly<Record<string, string>>[] = [{}];
  for (const [axis, labels] of Object.entries(axes)) {
    combinations = combinations.flatMap((rest) => labels.map((label) => ({ ...rest, [axis]: label })));
  }
  const points = combinations.flatMap((labels) =>
    seeds.map((seed): Omit<SweepPoint, "index"> => {
      const group = [name, ...Object.values(labels)].join("-");
      const values = Object.entries(labels).map(([axis, label]) => [`/made/${axis}`, label]);
      return {
        name: seeds.length === 1 ? group : `${group}-s${seed}`,
        group,
        labels,
        values: { ...Object.fromEntries(values), "/seed": seed },
        seed,
        text: "{}",
        spec: { ...spec, seed, optimization: { ...spec.optimization, epochs } } as Spec,
        hash: `hash-${group}-${seed}`,
        dataFolder: "/nowhere",
      };
    }),
  );
  return {
    name,
    description,
    file: `sweeps/${name}.json`,
    base: "experiments/quickstart.json",
    axes: Object.keys(axes).map((axis) => ({ name: axis, pointers: [`/made/${axis}`] })),
    seeds,
    metric: made.metric ?? { name: "shape.linearProbe", goal: "max" },
    stop: null,
    points: points.map((point, index) => ({ index, ...point })),
  };
}

export function madeFolders(): SweepFolders {
  const folder = mkdtempSync(join(tmpdir(), "ijepa-results-"));
  return { out: join(folder, "generated"), runs: join(folder, "runs") };
}

export interface MadeRun {
  readonly stepsPerEpoch?: number;
  /** Linear probe by epoch, null where it is not evaluated; as many epochs as the run did. */
  readonly accuracies: readonly (number | null)[];
  readonly loss?: (epoch: number) => number;
  /** null: killed. */
  readonly end?: { readonly reason: string; readonly message?: string } | null;
  readonly testImages?: number;
  readonly rate?: number;
  /** Of this checkout where it is left out. */
  readonly generator?: string;
  /** Of the spec that was trained; that of the point where it is left out. */
  readonly specHash?: string;
}

/** Times are those of a clock that begins at midnight; a step takes 16 images' time. */
export function writeRun(sweep: Sweep, folders: SweepFolders, point: SweepPoint, run: MadeRun): void {
  const { stepsPerEpoch = 10, accuracies, loss = (epoch) => 0.25 / epoch, end = { reason: "complete" } } = run;
  const { testImages = 400, rate = 200, generator = generatorHash() } = run;
  const folder = runFolder(folders, sweep, point);
  const { epochs } = point.spec.optimization;
  const stepMs = 16_000 / rate;
  const time = (steps: number): string => new Date(Date.UTC(2026, 0, 1) + steps * stepMs).toISOString();
  const events: LogEvent[] = [
    {
      event: "start",
      step: 0,
      experiment: point.name,
      specHash: point.hash,
      generatorVersion: "0.1.0",
      engine: "made up",
      node: "v20.9.0",
      time: time(0),
    },
  ];
  for (const [e, accuracy] of accuracies.entries()) {
    for (let i = 1; i <= stepsPerEpoch; i++) {
      const step = e * stepsPerEpoch + i;
      events.push({
        event: "step",
        step,
        epoch: e + 1,
        loss: loss(step / stepsPerEpoch),
        lr: 0.001,
        weightDecay: 0.04,
        momentum: 0.99,
        contextTokens: 20,
        targetTokens: 8,
        timeMs: stepMs,
        dataMs: 0,
        imagesPerSecond: rate,
      });
    }
    const step = (e + 1) * stepsPerEpoch;
    events.push({ event: "epoch", step, epoch: e + 1, loss: loss(e + 1) });
    if (accuracy === null) continue;
    events.push({ event: "evaluation", step, epoch: e + 1, report: madeReport(accuracy, testImages) });
  }
  const done = accuracies.length * stepsPerEpoch;
  if (end !== null) events.push({ event: "end", step: done, time: time(done), ...end });
  mkdirSync(folder, { recursive: true });
  writeRecord(folder, recordOf(sweep, { ...point, hash: run.specHash ?? point.hash }, generator));
  writeFileSync(
    join(folder, "experiment.json"),
    JSON.stringify({
      optimizer: { stepsPerEpoch, epochs, globalBatch: 16 },
      schedule: { steps: epochs * stepsPerEpoch },
    }),
  );
  writeFileSync(join(folder, "log.jsonl"), events.map((event) => `${JSON.stringify(event)}\n`).join(""));
}

function madeReport(accuracy: number, testImages: number): EvaluationReport {
  return {
    trainImages: 100,
    validationImages: 100,
    testImages,
    neighbours: 20,
    tasks: [{ name: "shape", classes: 4, chance: 0.25 }],
    rows: [
      {
        representation: "target encoder",
        dimension: 8,
        tasks: [{ linearProbe: accuracy, knn: accuracy / 2, l2: 0.1 }],
        collapse: { rankMe: 10 * accuracy, featureSpread: 0.5 },
      },
    ],
  };
}

/** Every point whose run is here has its log read; what its state is, is given. */
export function madeResults(sweep: Sweep, runs: Readonly<Record<number, MadeRun & Partial<PointStatus>>>): Results {
  const folders = madeFolders();
  for (const point of sweep.points) {
    const run = runs[point.index];
    if (run !== undefined) writeRun(sweep, folders, point, { generator: "made-generator", ...run });
  }
  const status = ({ index }: SweepPoint): PointStatus => {
    const run = runs[index];
    return { state: run === undefined ? "waiting" : (run.state ?? "finished"), message: run?.message ?? null };
  };
  return gatherResults(sweep, { folders, status });
}
