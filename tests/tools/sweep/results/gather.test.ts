import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runFolder, sweepFolder } from "../../../../tools/sweep/folders";
import { gatherPoints, mostCurvePoints } from "../../../../tools/sweep/results/gather";
import { writeResults } from "../../../../tools/sweep/results/index";
import type { PointResult } from "../../../../tools/sweep/results/results";
import type { SweepPoint } from "../../../../tools/sweep/sweep";
import { madeFolders, madeResults, madeSweep, writeRun } from "./made-sweep";

const sweep = madeSweep({ seeds: [0], axes: { width: ["48"] }, epochs: 4 });
const [point] = sweep.points as readonly [SweepPoint];
const only = (points: readonly PointResult[]): PointResult => {
  const [first] = points;
  if (first === undefined) throw new Error("no point");
  return first;
};

describe("gathering a point", () => {
  it("takes what its log, its plan and its record say", () => {
    const row = only(madeResults(sweep, { 0: { accuracies: [0.25, null, 0.5, 0.75] } }).points);
    expect(row).toMatchObject({
      index: 0,
      name: "grid-48",
      group: "grid-48",
      labels: { width: "48" },
      seed: 0,
      state: "finished",
      message: null,
      stepsDone: 40,
      steps: 40,
      epochsDone: 4,
      epochs: 4,
      lastLoss: 0.0625,
      imagesPerSecond: 200,
      wallMs: 40 * 80,
      engine: "made up",
      specHash: "hash-grid-48-0",
      generatorHash: "made-generator",
      testImages: 400,
    });
    expect(row.metrics["shape.linearProbe"]).toEqual({
      epoch: 4,
      step: 40,
      value: 0.75,
      standardError: Math.sqrt((0.75 * 0.25) / 400),
    });
    expect(row.metrics.loss).toEqual({ epoch: 4, step: 40, value: 0.0625, standardError: null });
    expect(row.curves["shape.linearProbe"]?.map(({ epoch }) => epoch)).toEqual([1, 3, 4]);
  });

  it.each([
    ["waiting", undefined, "complete", 0],
    ["stale", "hash-of-an-earlier-spec", "complete", 0],
    ["stale", undefined, "failed", 0],
    ["stale", undefined, "complete", 10],
  ] as const)(
    "%s, with the spec %s, ended as %s: takes %i steps of the folder",
    (state, specHash, reason, stepsDone) => {
      const run = { accuracies: [0.25], state, end: { reason }, ...(specHash === undefined ? {} : { specHash }) };
      const row = only(madeResults(sweep, { 0: run }).points);
      expect(row).toMatchObject({ state, stepsDone });
      expect(Object.keys(row.metrics)).toHaveLength(stepsDone === 0 ? 0 : 5);
    },
  );

  it("has a row for a point without a folder, and for one that has logged nothing yet", () => {
    const folders = madeFolders();
    const status = () => ({ state: "running", message: null }) as const;
    const empty = { epochsDone: 0, lastLoss: null, imagesPerSecond: null, engine: null, generatorHash: null };
    expect(only(gatherPoints(sweep, { folders, status }))).toMatchObject(empty);
    mkdirSync(runFolder(folders, sweep, point), { recursive: true });
    writeFileSync(join(runFolder(folders, sweep, point), "log.jsonl"), '{"event":"st');
    expect(only(gatherPoints(sweep, { folders, status }))).toMatchObject(empty);
  });

  it("adds up the times of a run that was killed, went on, and was stopped", () => {
    const folders = madeFolders();
    // Twenty steps of 80 ms, then killed; the next start ends by itself after 5 s.
    writeRun(sweep, folders, point, { accuracies: [0.25, 0.3], end: null });
    const log = join(runFolder(folders, sweep, point), "log.jsonl");
    const start = JSON.parse(readFileSync(log, "utf8").split("\n")[0] ?? "");
    const more = [
      { ...start, step: 20, time: "2026-01-02T00:00:00.000Z", engine: "another" },
      { event: "end", step: 20, reason: "SIGTERM", time: "2026-01-02T00:00:05.000Z" },
    ];
    appendFileSync(log, more.map((event) => `${JSON.stringify(event)}\n`).join(""));
    const status = () => ({ state: "interrupted", message: null }) as const;
    const row = only(gatherPoints(sweep, { folders, status }));
    expect(row).toMatchObject({ wallMs: 20 * 80 + 5000, engine: "another", epochsDone: 2 });
  });

  it("thins the loss of steps to spans that all points share", () => {
    const long = madeSweep({ seeds: [0, 1], axes: { width: ["48"] }, epochs: 4 });
    const slope = (epoch: number): number => epoch;
    const { points } = madeResults(long, {
      0: { accuracies: [null, null, null, null], stepsPerEpoch: 1000, loss: slope },
      1: { accuracies: [null, null], stepsPerEpoch: 500, loss: slope },
    });
    const [first, second] = points.map(({ stepLoss }) => stepLoss);
    expect(first).toHaveLength(mostCurvePoints);
    expect(second).toHaveLength(mostCurvePoints / 2);
    expect(second?.map(({ epoch }) => epoch)).toEqual(first?.slice(0, mostCurvePoints / 2).map(({ epoch }) => epoch));
    for (const { epoch, value } of first ?? []) expect(Math.abs(epoch - value)).toBeLessThan(0.01);
  });
});

describe("writing the results", () => {
  it("writes four whole files and nothing else, again and again", () => {
    const folders = madeFolders();
    writeRun(sweep, folders, point, { accuracies: [0.25, 0.3, 0.35, 0.4] });
    const names = ["results.csv", "results.html", "results.json", "results.md"];
    const written = (): readonly string[] => {
      expect(writeResults(sweep, folders)).toMatchObject({
        best: "grid-48",
        provisional: false,
        states: { finished: 1 },
      });
      const folder = sweepFolder(folders, sweep);
      expect(
        readdirSync(folder)
          .filter((name) => name !== "grid-48")
          .sort(),
      ).toEqual(names);
      return names.map((name) => readFileSync(join(folder, name), "utf8"));
    };
    expect(written()).toEqual(written());
  });

  it("writes them before anything has run", () => {
    const folders = madeFolders();
    expect(writeResults(sweep, folders)).toMatchObject({ best: null, states: { waiting: 1 } });
    const json = JSON.parse(readFileSync(join(sweepFolder(folders, sweep), "results.json"), "utf8"));
    expect(json).toMatchObject({ format: { name: "ijepa sweep results", version: 1 }, metrics: [], best: null });
  });

  it("gathers a hundred points of thousands of lines in about a second", () => {
    const folders = madeFolders();
    const labels = Array.from({ length: 25 }, (_, i) => String(i));
    const large = madeSweep({ axes: { width: labels }, seeds: [0, 1, 2, 3], epochs: 4 });
    const [one] = large.points as readonly [SweepPoint];
    writeRun(large, folders, one, { accuracies: [0.1, 0.2, 0.3, 0.4], stepsPerEpoch: 500 });
    const log = readFileSync(join(runFolder(folders, large, one), "log.jsonl"));
    for (const each of large.points.slice(1)) {
      mkdirSync(runFolder(folders, large, each), { recursive: true });
      writeFileSync(join(runFolder(folders, large, each), "log.jsonl"), log);
    }
    const startedMs = performance.now();
    const points = gatherPoints(large, { folders, status: () => ({ state: "finished", message: null }) });
    // Far above what it takes: this is about reading a log once and not a hundred times.
    expect(performance.now() - startedMs).toBeLessThan(5000);
    expect(points.every(({ stepsDone }) => stepsDone === 2000)).toBe(true);
  });
});
