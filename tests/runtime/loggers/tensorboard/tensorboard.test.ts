/** Event files: their bytes, and what a run writes into them. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { eventBytes } from "../../../../runtime/loggers/tensorboard/events";
import { histogramOf } from "../../../../runtime/loggers/tensorboard/histogram";
import { recordOf } from "../../../../runtime/loggers/tensorboard/records";
import { openTensorboard } from "../../../../runtime/loggers/tensorboard/tensorboard";
import type { LogEvent } from "../../../../runtime/report/jsonl";
import { evaluation } from "../../../tools/report/made-runs";
import { stepEvent } from "../step-event";
import { crc32c, eventsIn, recordsOf, shownSteps } from "./decode";

const open = (directory: string, stepsDone = 0, notes: string[] = []) =>
  openTensorboard({
    directory,
    stepsDone,
    note: (line) => notes.push(line),
    encode: async () => Uint8Array.of(1, 2, 3),
    now: () => 1.5e12 + stepsDone * 1000,
  });

describe("event files", () => {
  it("check their bytes by CRC-32C", () => {
    // The check value of the polynomial.
    expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
    const data = Uint8Array.from({ length: 300 }, (_, i) => i);
    const record = recordOf(data);
    expect(recordsOf(record)).toEqual([data]);
    for (const at of [0, 8, 12, 150, 313]) {
      const damaged = record.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      expect(() => recordsOf(damaged), `byte ${at}`).toThrow();
    }
  });

  it("have the bytes that TensorBoard's own writer gives", () => {
    const version = eventBytes({ wallTime: 1_500_000_000.5, step: 0, said: { says: "version" } });
    expect(Buffer.from(recordOf(version)).toString("hex")).toBe(
      "1800000000000000a37f4b2209000020c00b5ad6411a0d627261696e2e4576656e743a320be205f7",
    );
    const scalar = eventBytes({
      wallTime: 1_500_000_001.25,
      step: 300,
      said: { says: "scalars", values: new Map([["train/loss", 0.75]]) },
    });
    expect(Buffer.from(recordOf(scalar)).toString("hex")).toBe(
      "2100000000000000017becf609000050c00b5ad64110ac022a130a110a0a747261696e2f6c6f7373150000403f413a985c",
    );
    const start = eventBytes({ wallTime: 1_500_000_002, step: 301, said: { says: "session start" } });
    expect(Buffer.from(recordOf(start)).toString("hex")).toBe(
      "100000000000000095fbfe1809000080c00b5ad64110ad023a02080197f37130",
    );
  });

  it("have the numbers of the log, by name and step", () => {
    const directory = mkdtempSync(join(tmpdir(), "ijepa-tensorboard-"));
    const logger = open(directory);
    const events: readonly LogEvent[] = [
      {
        event: "start",
        step: 0,
        experiment: "x",
        specHash: "0",
        generatorVersion: "0",
        engine: "e",
        node: "n",
        time: "",
      },
      stepEvent(1),
      { event: "epoch", step: 1, epoch: 1, loss: 0.5 },
      { event: "evaluation", step: 1, epoch: 1, report: evaluation(0.25) },
      { event: "checkpoint", step: 1, path: "x" },
    ];
    for (const event of events) logger.event(event);
    const [[version, ...said] = []] = eventsIn(join(directory, "tensorboard"));
    expect(version).toMatchObject({ fileVersion: "brain.Event:2", wallTime: 1.5e9 });
    expect(
      said.map(({ step, values }) => [step, Object.fromEntries(values.map(({ tag, number }) => [tag, number]))]),
    ).toEqual([
      [
        1,
        {
          "train/loss": 0.5,
          "train/learningRate": Math.fround(1e-3),
          "train/weightDecay": Math.fround(0.04),
          "train/momentum": Math.fround(0.996),
          "train/gradientNorm": 2,
          "train/imagesPerSecond": 160,
          "train/dataMs": 20,
        },
      ],
      [1, { "epoch/loss": 0.5 }],
      [
        1,
        {
          "evaluation/count.linearProbe": 0.25,
          "evaluation/count.knn": Math.fround(0.15),
          "evaluation/rankMe": 17.25,
          "evaluation/featureSpread": Math.fround(0.4),
        },
      ],
    ]);
  });

  it("have pictures and histograms", async () => {
    const directory = mkdtempSync(join(tmpdir(), "ijepa-tensorboard-"));
    const logger = open(directory);
    await logger.picture?.(3, { name: "masks", width: 5, height: 4, data: new Uint8Array(60) });
    logger.spread?.(3, { name: "weights/w", values: Float32Array.of(-1, 0, 0, 1, Number.NaN) });
    const [[, image, spread] = []] = eventsIn(join(directory, "tensorboard"));
    expect(image).toMatchObject({ step: 3, values: [{ tag: "masks", image: { width: 5, height: 4 } }] });
    expect([...(image?.values[0]?.image?.png ?? [])]).toEqual([1, 2, 3]);
    expect(spread?.values[0]).toMatchObject({
      tag: "weights/w",
      histogram: { min: -1, max: 1, num: 4, sum: 0, sum_squares: 2 },
    });
  });

  it("of a run that goes on take back what came after its checkpoint", () => {
    const directory = mkdtempSync(join(tmpdir(), "ijepa-tensorboard-"));
    const first = open(directory);
    for (const step of [1, 2, 3, 4]) first.event(stepEvent(step));
    const second = open(directory, 2);
    for (const step of [3, 4, 5]) second.event(stepEvent(step));
    const files = eventsIn(join(directory, "tensorboard"));
    expect(files).toHaveLength(2);
    expect(files[1]?.slice(0, 2)).toMatchObject([{ fileVersion: "brain.Event:2" }, { sessionStatus: 1, step: 3 }]);
    expect(shownSteps(files, "train/loss")).toEqual([1, 2, 3, 4, 5]);
  });

  it("that cannot be written are a note, once", () => {
    const directory = mkdtempSync(join(tmpdir(), "ijepa-tensorboard-"));
    writeFileSync(join(directory, "tensorboard"), "a file in the way");
    const notes: string[] = [];
    const logger = open(directory, 0, notes);
    logger.event(stepEvent(1));
    logger.event(stepEvent(2));
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/^R223: .* cannot be written: a part of its path is not a folder\. Training goes on/);
    expect(readFileSync(join(directory, "tensorboard"), "utf8")).toBe("a file in the way");
    expect(existsSync(join(directory, "log.jsonl"))).toBe(false);
  });
});

describe("a histogram", () => {
  it.each([
    [[], null],
    [[Number.NaN, Number.POSITIVE_INFINITY], null],
    [[2, 2, 2], { min: 2, max: 2, count: 3, limits: [2], counts: [3] }],
    [[0, 1], { min: 0, max: 1, count: 2 }],
  ] as const)("of %j", (values, wanted) => {
    const found = histogramOf(Float32Array.from(values));
    if (wanted === null) expect(found).toBeNull();
    else expect(found).toMatchObject(wanted);
  });

  it("counts every number once, the largest too", () => {
    const found = histogramOf(Float32Array.from({ length: 1001 }, (_, i) => i));
    expect(found?.counts.reduce((sum, count) => sum + count, 0)).toBe(1001);
    expect(found?.limits).toHaveLength(50);
    expect(found?.limits.at(-1)).toBe(1000);
    expect(found?.counts[0]).toBe(20);
  });
});
