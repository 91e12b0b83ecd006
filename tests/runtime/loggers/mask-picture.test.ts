import { describe, expect, it } from "vitest";
import type { ObjectiveName } from "../../../runtime/experiment";
import { maskPicture, picturingRunner } from "../../../runtime/loggers/mask-picture";
import type { PreparedStep, StepRunner } from "../../../runtime/loop/train-loop";
import { objectives } from "../../../runtime/objectives";
import { tinyExperiment } from "../loop/tiny";

const { image, masks, optimizer } = tinyExperiment;
const seen = Int32Array.of(0, 1, 2, 3);
const predicted = Int32Array.of(5, 6, 9, 10);
const images = new Uint8Array(optimizer.deviceBatch * 3 * image.width * image.height).fill(200);

describe("a picture of masks", () => {
  it.each<readonly [name: ObjectiveName, says: string]>([
    ["ijepa", "masks: image, context, targets"],
    ["mae", "masks: image, visible, masked"],
  ])("of %s has a row of three for each image: all of it, what is seen, what is predicted", (objective, says) => {
    const { name, width, height, data } = maskPicture({
      experiment: tinyExperiment,
      objective: objectives[objective],
      images,
      masks: { seen, predicted },
    });
    expect(name).toBe(says);
    expect([width, height]).toEqual([3 * image.width + 4, 2 * image.height + 2]);
    expect(masks.contextCount).toBe(1);
    const at = (tile: number, row: number, patch: number): number => {
      const x = tile * (image.width + 2) + (patch % image.gridWidth) * image.patch;
      const y = row * (image.height + 2) + Math.floor(patch / image.gridWidth) * image.patch;
      return data[3 * (y * width + x)] ?? -1;
    };
    const bright = (tile: number, row: number): readonly number[] =>
      Array.from({ length: 16 }, (_, patch) => patch).filter((patch) => at(tile, row, patch) === 200);
    expect(bright(0, 0)).toHaveLength(16);
    expect([bright(1, 0), bright(1, 1)]).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect([bright(2, 0), bright(2, 1)]).toEqual([
      [5, 6],
      [9, 10],
    ]);
    // The others keep a fifth of their light.
    expect(at(1, 0, 15)).toBe(40);
  });
});

it("draws the first of several sets of masks", () => {
  const experiment = { ...tinyExperiment, masks: { ...masks, setCount: 2 } };
  const ofSets = {
    seen: Int32Array.of(0, 1, 2, 3, 12, 13, 14, 15),
    predicted: Int32Array.of(5, 6, 9, 10, 4, 4, 8, 8),
  };
  const objective = objectives.ijepa;
  expect(maskPicture({ experiment, objective, images, masks: ofSets })).toEqual(
    maskPicture({ experiment: tinyExperiment, objective, images, masks: { seen, predicted } }),
  );
});

describe("a runner that draws", () => {
  it.each<readonly [name: ObjectiveName, batch: object]>([
    ["ijepa", { contextIndex: seen, targetIndex: predicted }],
    ["mae", { visible: seen, masked: predicted }],
  ])("of %s draws the first step of the process and of every epoch, and changes nothing else", async (name, batch) => {
    const given: Uint8Array[] = [];
    const runner: StepRunner = {
      ahead: 0,
      prepare: (step) => ({ step, microBatches: [{ lengths: {}, batches: [batch] }] }) as unknown as PreparedStep, // what is read of it
      begin: async (_, nextImages) => {
        given.push(await nextImages());
        return { outcome: Promise.resolve({ loss: 1, gradientNorm: 1 }), dataMs: 0 };
      },
      run: () => {
        throw new Error("not called");
      },
    };
    const drawn: number[] = [];
    const picturing = picturingRunner(runner, {
      experiment: tinyExperiment,
      objective: objectives[name],
      take: (step) => drawn.push(step),
    });
    for (let step = 3; step < 12; step++) {
      expect(await picturing.run(picturing.prepare(step), async () => images)).toEqual({
        loss: 1,
        gradientNorm: 1,
        dataMs: 0,
      });
    }
    expect(tinyExperiment.optimizer.stepsPerEpoch).toBe(5);
    expect(drawn).toEqual([4, 6, 11]);
    expect(given).toHaveLength(9);
    expect(given.every((each) => each === images)).toBe(true);
  });
});
