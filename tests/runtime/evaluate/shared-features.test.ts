import { describe, expect, it } from "vitest";
import { imagesUnreadable } from "../../../runtime/errors";
import type { EvaluatedEncoder } from "../../../runtime/evaluate/evaluate";
import { type EvaluatingRanks, sharedFeatures } from "../../../runtime/evaluate/shared-features";
import type { LabelledSplit } from "../../../runtime/evaluate/split";
import { aloneCommunicator } from "../../../runtime/ranks/alone";
import { onRanks } from "../../support/ranks";

/** Image i has the pixels i and 2i, modulo 251. */
const splitOf = (count: number, read: number[] = [], unreadable = -1): LabelledSplit => ({
  count,
  tasks: [],
  labels: () => new Int32Array(count),
  pixels: async (from, images) => {
    for (let i = from; i < from + images; i++) {
      if (i === unreadable) throw imagesUnreadable({ file: `${i}.jpg`, why: "it is broken", drawn: 64 });
      read.push(i);
    }
    return Uint8Array.from({ length: 2 * images }, (_, at) => ((from + (at >> 1)) * (1 + (at % 2))) % 251);
  },
});

/** Depends on the whole batch, as the kernels of an engine may. */
const ofTheBatch: EvaluatedEncoder = {
  name: "of the batch",
  features: async (images, count) =>
    Float32Array.from({ length: count }, (_, i) => (images[2 * i] ?? 0) / 7 + images.reduce((a, b) => a + b) / 3),
};
const both: EvaluatedEncoder = { name: "both", features: async (images) => Float32Array.from(images) };
const features = (split: LabelledSplit, batch: number, ranks: EvaluatingRanks = aloneCommunicator()) =>
  sharedFeatures({ split, encoders: [ofTheBatch, both], batch, ranks, isStopping: () => false });

describe("features that ranks share out", () => {
  it.each([
    { images: 40, batch: 4, size: 2 },
    { images: 41, batch: 4, size: 3 },
    { images: 16, batch: 64, size: 4 },
    { images: 600, batch: 3, size: 5 },
    { images: 1, batch: 1, size: 8 },
  ])("of $images images in batches of $batch are those of one rank on $size", async ({ images, batch, size }) => {
    const alone = await features(splitOf(images), batch);
    expect(alone?.map(({ dimension }) => dimension)).toEqual([1, 2]);
    const read: number[] = [];
    const shared = await onRanks(size, (ranks) => features(splitOf(images, read), batch, ranks));
    for (const each of shared) expect(each).toEqual(alone);
    expect(
      read.sort((a, b) => a - b),
      "each image is read by one rank",
    ).toEqual(Array.from({ length: images }, (_, i) => i));
  });

  it("fail on all ranks where an image is broken on one, with the reason", async () => {
    const failures = await onRanks(3, (ranks) =>
      features(splitOf(12, [], 6), 2, ranks).catch((error: Error) => error.message),
    );
    expect(failures[1]).toMatch(/^6\.jpg/);
    for (const other of [0, 2]) expect(failures[other]).toMatch(/rank 1 on host1 .* failed: R137: 6\.jpg/);
  });

  it("end the run where the fault is ours", async () => {
    const encoders = [{ name: "short", features: async () => new Float32Array(1) }];
    const failing = sharedFeatures({
      split: splitOf(12),
      encoders,
      batch: 12,
      ranks: aloneCommunicator(),
      isStopping: () => false,
    });
    await expect(failing).rejects.toThrow(/^internal: short gives 1 features of 12 images/);
  });
});
