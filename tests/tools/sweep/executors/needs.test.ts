import { describe, expect, it } from "vitest";
import type { SpecInput } from "../../../../compiler/spec/input";
import { needsOf, needsOfAll, type PointNeeds } from "../../../../tools/sweep/executors/needs";
import { threadsOf } from "../../../../tools/sweep/executors/threads";
import { fakePoint } from "../fake";
import { fakeSpec } from "../fake-spec";
import { pointTask } from "./support";

type Hardware = NonNullable<SpecInput["hardware"]>;
const specOf = (hardware: Hardware) => fakeSpec("s-a", 2, hardware);
const taskOf = (hardware: Hardware) => pointTask("s-a", { point: fakePoint(0, { spec: specOf(hardware) }) });
const gpus = (count: number): PointNeeds["cards"] => ({ kind: "GPU", count });

describe("what a point needs", () => {
  it.each<[hardware: Hardware, needs: PointNeeds]>([
    [{}, { cards: null, processorShares: 1, processors: null }],
    [{ threads: 3 }, { cards: null, processorShares: 1, processors: 3 }],
    [{ gpus: 4 }, { cards: null, processorShares: 4, processors: 4 }],
    [
      { gpus: 4, threads: 3 },
      { cards: null, processorShares: 4, processors: 12 },
    ],
    [
      { engine: "xla", device: "gpu" },
      { cards: gpus(1), processorShares: 1, processors: null },
    ],
    [
      { engine: "onnx", device: "webgpu" },
      { cards: gpus(1), processorShares: 1, processors: null },
    ],
    [
      { engine: "xla", device: "tpu", threads: 2 },
      { cards: { kind: "TPU", count: 1 }, processorShares: 1, processors: 2 },
    ],
    [
      { engine: "tfjs", device: "wasm" },
      { cards: null, processorShares: 1, processors: null },
    ],
  ])("%o", (hardware, needs) => {
    expect(needsOf(specOf(hardware))).toEqual(needs);
  });

  it("counts a card for each of its devices", () => {
    const { hardware } = specOf({ engine: "xla", device: "gpu" });
    expect(needsOf({ hardware: { ...hardware, gpus: 8 } }).cards).toEqual(gpus(8));
  });

  it("is enough for all, where all get the same", () => {
    const tasks = [{}, { gpus: 4 }, { threads: 6 }, { engine: "xla", device: "gpu" }] as const;
    expect(needsOfAll(tasks.map(taskOf))).toEqual({ cards: gpus(1), processorShares: 4, processors: 6 });
    expect(needsOfAll([taskOf({})])).toEqual({ cards: null, processorShares: 1, processors: null });
  });

  it.each([
    [{}, 8, 8],
    [{ gpus: 4 }, 8, 2],
    [{ gpus: 4 }, 2, 1],
    [{}, 0.5, 1],
  ])("%o has of %d processors %i threads on each device", (hardware, processors, threads) => {
    expect(threadsOf(taskOf(hardware), processors)).toBe(threads);
  });
});
