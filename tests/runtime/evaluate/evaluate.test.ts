import { describe, expect, test } from "vitest";
import { UserError } from "../../../runtime/errors";
import {
  chanceOf,
  type EvaluatedEncoder,
  evaluate,
  halvesOf,
  type LabelledSplit,
  paddedFeatures,
} from "../../../runtime/evaluate/evaluate";
import { downsample, pixelDimension } from "../../../runtime/evaluate/pixels";
import { atMost, subsetOf } from "../../../runtime/evaluate/split";
import { normals } from "./synthetic";

/** Pixels as they are. */
const plain = { mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] } as const;
const image = { height: 32, width: 32, ...plain };
const plan = { everyEpochs: 0, knnNeighbours: 20, knnTemperature: 0.07, trainImages: 400, testImages: 200 };

/** Bright squares on noise: the class says in which quarter. The encoder below sees it, half of the time. */
function splitOf(count: number, seed: number): LabelledSplit {
  const classOf = (index: number): number => Math.floor((index * 4) / count);
  return {
    count,
    tasks: [
      { name: "quarter", classes: 4 },
      { name: "side", classes: 2 },
    ],
    labels: (task) => new Int32Array(count).map((_, i) => (task === "side" ? classOf(i) % 2 : classOf(i))),
    pixels: async (from, images) => {
      const out = new Uint8Array(images * 3 * 32 * 32);
      for (let i = 0; i < images; i++) {
        const normal = normals(seed * 10_000 + from + i);
        const quarter = classOf(from + i);
        for (let at = 0; at < 3072; at++) {
          const [y, x] = [Math.floor(at / 32) % 32, at % 32];
          const isHere = Number(y >= 16) * 2 + Number(x >= 16) === quarter;
          out[i * 3072 + at] = Math.min(255, Math.max(0, 100 + 25 * normal() + (isHere ? 50 : 0)));
        }
      }
      return out;
    },
  };
}

/** Mean of each quarter; the random one sees only the whole image. */
const means =
  (isGood: boolean): EvaluatedEncoder["features"] =>
  async (images, count) =>
    Float32Array.from({ length: count * 4 }, (_, at) => {
      const [i, quarter] = [Math.floor(at / 4), at % 4];
      let sum = 0;
      for (let p = 0; p < 3072; p++) {
        const [y, x] = [Math.floor(p / 32) % 32, p % 32];
        const isHere = Number(y >= 16) * 2 + Number(x >= 16) === quarter;
        if (isHere || !isGood) sum += images[i * 3072 + p] ?? 0;
      }
      return sum / (50 * 768) + (isGood ? 0 : quarter);
    });

const labelled = { train: splitOf(400, 1), validation: splitOf(120, 2), test: splitOf(200, 3) };
const encoders = [
  { name: "target encoder", features: means(true) },
  { name: "random initialization", features: means(false) },
];

describe("evaluate", () => {
  test("gives one row per representation, good ones above bad ones", async () => {
    const lines: string[] = [];
    const report = await evaluate({ labelled, encoders, plan, image, log: (line) => lines.push(line), batch: 48 });
    expect(report).toMatchObject({ trainImages: 400, validationImages: 120, testImages: 200, neighbours: 20 });
    expect(report?.tasks).toEqual([
      { name: "quarter", classes: 4, chance: 0.25 },
      { name: "side", classes: 2, chance: 0.5 },
    ]);
    const [target, start, pixels] = report?.rows ?? [];
    expect(report?.rows.map(({ representation, dimension }) => [representation, dimension])).toEqual([
      ["target encoder", 4],
      ["random initialization", 4],
      ["raw pixels (16×16)", 768],
    ]);
    expect(target?.tasks[0]).toMatchObject({ linearProbe: 1, knn: 1 });
    expect(start?.tasks[0]?.linearProbe).toBeLessThan(0.5);
    expect(pixels?.tasks[0]?.linearProbe).toBeGreaterThan(0.9);
    expect(target?.collapse?.rankMe).toBeGreaterThan(start?.collapse?.rankMe ?? 0);
    expect(pixels?.collapse).toBeNull();
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^Evaluated target encoder: quarter: linear probe 100.0 %, k-NN 100.0 % · side: /);
  });

  test("takes no more images than planned, from the whole of a split that is sorted by class", async () => {
    const small = { ...plan, trainImages: 100, testImages: 40 };
    const report = await evaluate({ labelled, encoders, plan: small, image, log: () => undefined, rawPixels: false });
    expect(report).toMatchObject({ trainImages: 100, validationImages: 40, testImages: 40 });
    expect(report?.rows).toHaveLength(2);
    expect(report?.rows[0]?.tasks[0]?.linearProbe).toBe(1);
    expect(report?.tasks[0]?.chance).toBe(0.25);
  });

  test("breaks off where the person wants to stop", async () => {
    let asked = 0;
    const isStopping = () => ++asked > 3;
    expect(await evaluate({ labelled, encoders, plan, image, log: () => undefined, isStopping })).toBeNull();
    expect(asked).toBe(4);
  });

  test("leaves out images that cannot be used, with their labels, and says how many", async () => {
    // Three of four test images are black and have labels that no probe would give them.
    const isBad = (index: number): boolean => index % 4 !== 0;
    const test = labelled.test;
    const labels = (task: string): Int32Array =>
      test.labels(task).map((label, i) => (isBad(i) ? (label + 1) % 2 : label));
    const pixels = async (from: number, count: number): Promise<Uint8Array> => {
      const out = await test.pixels(from, count);
      const size = out.length / count;
      for (let i = 0; i < count; i++) if (isBad(from + i)) out.fill(0, i * size, (i + 1) * size);
      return out;
    };
    const lines: string[] = [];
    const splits = { ...labelled, test: { ...test, labels, pixels, isBad } };
    const report = await evaluate({ labelled: splits, encoders, plan, image, log: (line) => lines.push(line) });
    expect(report).toMatchObject({ trainImages: 400, testImages: 50 });
    expect(report?.rows[0]?.tasks[0]).toMatchObject({ linearProbe: 1, knn: 1 });
    expect(lines[0]).toBe("150 test images cannot be used and are left out of the evaluation.");
    const few = { ...labelled, test: { ...test, isBad: (index: number) => index >= 15 } };
    await expect(evaluate({ labelled: few, encoders, plan, image, log: () => undefined })).rejects.toMatchObject({
      code: "R151",
    });
  });

  test("says which features are broken", async () => {
    const broken = [
      { name: "target encoder", features: async (_: Uint8Array, n: number) => new Float32Array(n).fill(Number.NaN) },
    ];
    await expect(evaluate({ labelled, encoders: broken, plan, image, log: () => undefined })).rejects.toMatchObject({
      code: "R150",
      message: expect.stringContaining("The train features of the target encoder"),
    });
  });

  test.each([
    ["R151", { ...labelled, test: splitOf(4, 1) }],
    ["R152", { ...labelled, test: { ...splitOf(40, 1), tasks: [{ name: "quarter", classes: 5 }] } }],
  ])("%s where the splits do not serve", async (code, splits) => {
    const error = await evaluate({ labelled: splits, encoders, plan, image, log: () => undefined }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ code, message: expect.stringContaining("test") });
  });

  test("labels outside the classes are our mistake", async () => {
    const wrong = { ...labelled.test, labels: () => new Int32Array(200).fill(9) };
    await expect(
      evaluate({ labelled: { ...labelled, test: wrong }, encoders, plan, image, log: () => undefined }),
    ).rejects.toThrow(/^internal: the test labels of quarter/);
  });
});

describe("splits", () => {
  test("halves share no image, and both see every class", async () => {
    const { validation, test: held } = halvesOf(splitOf(41, 1));
    expect([validation.count, held.count]).toEqual([21, 20]);
    expect(new Set(validation.labels("quarter")).size).toBe(4);
    expect(new Set(held.labels("quarter")).size).toBe(4);
    const whole = await splitOf(41, 1).pixels(0, 41);
    expect(await held.pixels(2, 1)).toEqual(whole.slice(5 * 3072, 6 * 3072));
    expect(await validation.pixels(20, 1)).toEqual(whole.slice(40 * 3072));
  });

  test("at most: evenly over the whole; the whole where it is small enough", () => {
    const split = splitOf(100, 1);
    expect(atMost(split, 100)).toBe(split);
    expect([...atMost(split, 8).labels("quarter")]).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  });

  test("a subset reads its images in its order", async () => {
    const split = splitOf(10, 1);
    const [first, last] = [await split.pixels(1, 1), await split.pixels(9, 1)];
    const both = await subsetOf(split, [0, 9, 1]).pixels(1, 2);
    expect(both.slice(0, 3072)).toEqual(last);
    expect(both.slice(3072)).toEqual(first);
  });
});

test("an engine of a fixed batch is given full batches, and what is blank is dropped", async () => {
  const seen: number[][] = [];
  const buffer = new Float32Array(8);
  const features = paddedFeatures(4, async (images) => {
    seen.push([...images]);
    // One image has one value, and two features; the buffer is used again.
    for (let i = 0; i < 4; i++) buffer.set([images[i] ?? 0, 10 * (images[i] ?? 0)], 2 * i);
    return buffer;
  });
  expect([...(await features(Uint8Array.of(1, 2, 3, 4, 5, 6), 6))]).toEqual([1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60]);
  expect(seen).toEqual([
    [1, 2, 3, 4],
    [5, 6, 0, 0],
  ]);
});

test.each([
  [[0, 0, 1], [0, 1, 1, 1], 0.25],
  [[1, 1, 0], [0, 1, 1, 1], 0.75],
  [[0, 1], [0, 1], 0.5],
])("always the most frequent class of %j is right on %j in %d", (train, held, want) => {
  expect(chanceOf(Int32Array.from(train), Int32Array.from(held), 2)).toBe(want);
});

describe("raw pixels", () => {
  test("are means of boxes", () => {
    const images = new Uint8Array(3 * 32 * 32).map((_, at) => at % 32);
    const out = downsample(images, 1, image);
    expect(out.length).toBe(pixelDimension(32, 32));
    expect([...out.subarray(0, 3)]).toEqual([0.5, 2.5, 4.5]);
  });

  test("are normalized channel by channel", () => {
    const images = new Uint8Array(2 * 3).fill(51);
    const of = { height: 1, width: 1, mean: [0.2, 0.1, 0], std: [1, 0.5, 0.25] } as const;
    const wanted = [0, 0.2, 0.8, 0, 0.2, 0.8];
    downsample(images, 2, of).forEach((value, i) => {
      expect(value).toBeCloseTo(wanted[i] ?? Number.NaN, 6);
    });
  });

  test("count a pixel between two boxes by its share, and keep the mean", () => {
    const images = new Uint8Array(3 * 24 * 24).map((_, at) => at % 24);
    const out = downsample(images, 1, { height: 24, width: 24, ...plain });
    // Boxes are 1½ pixels wide: (0 + ½·1) / 1½ and (½·1 + 2) / 1½.
    expect(out[0]).toBeCloseTo(1 / 3, 6);
    expect(out[1]).toBeCloseTo(5 / 3, 6);
    expect(out.reduce((sum, value) => sum + value, 0) / out.length).toBeCloseTo(11.5, 5);
  });

  test("of a small image are the image", () => {
    const images = new Uint8Array(2 * 3 * 8 * 8).map((_, at) => at % 256);
    expect(downsample(images, 2, { height: 8, width: 8, ...plain })).toEqual(Float32Array.from(images));
  });
});
