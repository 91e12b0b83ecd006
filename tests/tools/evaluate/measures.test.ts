/**
 * Measures against scikit-learn and NumPy on the same features: their recorded answers always, they themselves where a Python
 * has them (`IJEPA_PYTHON`, else `python3`).
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { rankMe, singularValues } from "../../../runtime/evaluate/collapse";
import { type Features, shareOfEqual, standardized, statisticsOf } from "../../../runtime/evaluate/features";
import { nearest, voteOf } from "../../../runtime/evaluate/knn";
import { fitClassifier, predict, prepareProbe } from "../../../runtime/evaluate/linear-probe";
import { randomAt } from "../../../runtime/random/random";
import { fewLabels } from "../../../tools/evaluate/few-labels";
import { probeHeads } from "../../../tools/evaluate/heads";
import { wilson } from "../../../tools/evaluate/interval";
import { lidar, type Views } from "../../../tools/evaluate/lidar";
import { whitened } from "../../../tools/evaluate/scatter";

const dimension = 12;
const classes = 3;

/** Classes that overlap, in features of unequal size that go together. */
function features(purpose: string, images: number): { features: Features; labels: Int32Array } {
  const random = randomAt({ seed: 11, purpose });
  const noise = new Float32Array(images * dimension);
  random.fillNormal(noise, 1);
  const labels = Int32Array.from({ length: images }, (_, i) => i % classes);
  const values = noise.map((value, i) => {
    const c = i % dimension;
    const row = Math.floor(i / dimension);
    const centre = c % classes === labels[row] ? 1.2 : 0;
    return (centre + value + (c > 0 ? 0.8 * (noise[i - 1] ?? 0) : 0)) * (1 + c / 3) + 0.5;
  });
  return { features: { images, dimension, values }, labels };
}

const train = features("train", 240);
const held = features("test", 150);
const views: Views = (() => {
  const [images, count] = [40, 5];
  const centres = new Float32Array(images * dimension);
  const values = new Float32Array(images * count * dimension);
  randomAt({ seed: 11, purpose: "centres" }).fillNormal(centres, 1);
  randomAt({ seed: 11, purpose: "views" }).fillNormal(values, 0.5);
  for (let i = 0; i < values.length; i++) {
    const c = i % dimension;
    const image = Math.floor(i / (count * dimension));
    values[i] = (values[i] ?? 0) + (centres[image * dimension + c] ?? 0) / (1 + c);
  }
  return { images, views: count, dimension, values };
})();

function ours() {
  const knn = (a: Features, b: Features): number =>
    shareOfEqual(voteOf(nearest(a, b, 20), train.labels, classes, 0.07), held.labels);
  const [white, whiteHeld] = whitened(train.features, [held.features]);
  if (white === undefined || whiteHeld === undefined) throw new Error("no whitened features");
  const prepared = prepareProbe(train.features, held.features, held.features);
  const { classifier, loss } = fitClassifier(prepared, train.labels, { classes, l2: 0.01, start: null });
  const rows = standardized(held.features, statisticsOf(train.features));
  return {
    knn: knn(train.features, held.features),
    knnWhitened: knn(white, whiteHeld),
    probeLoss: loss,
    probeAccuracy: shareOfEqual(predict(classifier, rows), held.labels),
    rankMe: rankMe(singularValues(train.features)),
    lidar: lidar(views),
  };
}

/** Shares are equal; what is minimized or summed up is equal but for rounding. */
function agree(theirs: Readonly<Record<string, number>>): void {
  const found = ours();
  expect(Object.keys(theirs).sort()).toEqual(Object.keys(found).sort());
  for (const [name, value] of Object.entries(found)) expect(value, name).toBeCloseTo(theirs[name] ?? Number.NaN, 5);
}

const python = process.env.IJEPA_PYTHON ?? "python3";
const has = spawnSync(python, ["-c", "import sklearn, numpy"]).status === 0;
if (!has) console.log("Python's scikit-learn is not here (IJEPA_PYTHON): measures are held to its recorded answers.");

describe("measures", () => {
  test("agree with the recorded answers of scikit-learn and NumPy", () => {
    agree(JSON.parse(readFileSync(new URL("./scikit-learn.json", import.meta.url), "utf8")));
  });

  test.skipIf(!has)("agree with scikit-learn and NumPy", () => {
    const folder = mkdtempSync(join(tmpdir(), "ijepa-measures-"));
    try {
      const plain = ({ images, values }: Features | Views) => ({ images, values: [...values] });
      const given = {
        train: plain(train.features),
        test: plain(held.features),
        views: { ...plain(views), images: views.images, views: views.views },
        trainLabels: [...train.labels],
        testLabels: [...held.labels],
      };
      writeFileSync(join(folder, "given.json"), JSON.stringify(given));
      const script = new URL("./reference.py", import.meta.url).pathname;
      const { stdout, stderr, status } = spawnSync(python, [script, join(folder, "given.json")], { encoding: "utf8" });
      expect(status, stderr).toBe(0);
      if (process.env.IJEPA_RECORD) writeFileSync(new URL("./scikit-learn.json", import.meta.url), stdout);
      agree(JSON.parse(stdout));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  // Wilson (1927), by hand: 50 of 100 is .404 … .596; 0 of 20 leaves 0 … .161.
  const intervals: readonly (readonly [value: number, images: number, low: number, high: number])[] = [
    [0.5, 100, 0.4038, 0.5962],
    [0, 20, 0, 0.1611],
    [1, 20, 0.8389, 1],
  ];
  test.each(intervals)("Wilson's interval of %d on %d images", (value, images, low, high) => {
    const { interval } = wilson(value, images);
    expect(interval[0]).toBeCloseTo(low, 4);
    expect(interval[1]).toBeCloseTo(high, 4);
  });

  test("features that are all alike: no rank, and whitening leaves them finite", () => {
    const alike: Features = { images: 20, dimension: 4, values: new Float32Array(80).fill(3.1) };
    expect(lidar({ images: 5, views: 4, dimension: 4, values: alike.values })).toBe(0);
    for (const { values } of whitened(alike, [alike]))
      expect(values.every((value) => Math.abs(value) < 1e-6)).toBe(true);
  });

  test("few labels: more labels are better, draws differ and repeat, and no budget is exceeded", () => {
    const labels = { train: train.labels, test: held.labels };
    const of = (perClass: number) =>
      fewLabels({ train: train.features, test: held.features, labels, classes, budget: { perClass }, seed: 1 });
    const [one, many] = [of(1), of(40)];
    expect(one).toMatchObject({ labels: "1 per class", images: 3 });
    expect(one?.std).toBeGreaterThan(0);
    expect(many?.mean).toBeGreaterThan((one?.mean ?? 1) + 0.1);
    expect(of(1)).toEqual(one);
    expect(of(81)).toBeNull();
  });
});

test("heads learn, batch norm copes with scales, and the choice is made on validation", async () => {
  const small: Features = { ...train.features, values: train.features.values.map((value) => value * 1e-3) };
  const scaled: Features = { ...held.features, values: held.features.values.map((value) => value * 1e-3) };
  // Half of the test labels are wrong, so that the best head there is another one.
  const wrong = held.labels.map((label, i) => (i % 2 === 0 ? label : (label + 1) % classes));
  const labels = { train: train.labels, validation: held.labels, test: wrong };
  const what = {
    tasks: [{ name: "class", classes, labels }],
    layers: [{ name: "last layer", of: (given: Features) => given }],
    epochs: 10,
    seed: 3,
    epochFeatures: async () => small,
    validation: scaled,
    test: scaled,
  };
  const [found] = await probeHeads(what);
  expect(found?.heads).toHaveLength(20);
  expect(found?.best.batchNorm).toBe(true);
  expect(found?.best.validation).toBeGreaterThan(0.7);
  expect(found?.best.test.value).toBeLessThan(0.7);
  expect(found?.best.validation).toBe(Math.max(...(found?.heads.map((head) => head.validation) ?? [])));
  expect(found?.choice.bestTest).toBeGreaterThanOrEqual(found?.best.test.value ?? 1);
  expect((await probeHeads(what))[0]).toEqual(found);
});
