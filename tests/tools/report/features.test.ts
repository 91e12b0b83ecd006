import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { randomAt } from "../../../runtime/random/random";
import { featureSection } from "../../../tools/report/features";
import { heldOutFeatures } from "../../../tools/report/held-out";
import { neighboursOf, planeOf, principalCoordinates, type Rows } from "../../../tools/report/projection";
import { reportRuns } from "../../../tools/report/report";
import { makeRun as makeTrainedRun } from "../../support/exported";
import { makeRun, runsFolder } from "./made-runs";

const folder = runsFolder();
afterAll(() => rmSync(folder, { recursive: true }));

const count = (text: string, part: string): number => text.split(part).length - 1;
const variance = (values: readonly number[]): number => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
};

describe("principal components", () => {
  // Deviations 5, 2 and 0.1 along three orthogonal directions, far from the origin.
  const random = randomAt({ seed: 1, purpose: "test" });
  const rows: Rows = { values: new Float32Array(400 * 4), count: 400, width: 4 };
  for (let i = 0; i < rows.count; i++) {
    const [a, b, c] = [5 * random.normal(), 2 * random.normal(), 0.1 * random.normal()];
    rows.values.set([10 + (a + b) / Math.SQRT2, -3 + (a - b) / Math.SQRT2, c, 7], 4 * i);
  }

  it("are the directions of largest variance, the largest first", () => {
    const places = principalCoordinates(rows, 3);
    const deviations = [0, 1, 2].map((k) => Math.sqrt(variance(places.map((place) => place[k] ?? 0))));
    expect(deviations[0]).toBeCloseTo(5, 0);
    expect(deviations[1]).toBeCloseTo(2, 0);
    expect(deviations[2]).toBeCloseTo(0.1, 1);
    const first = places.map((place) => place[0] ?? 0);
    const along = Array.from({ length: 400 }, (_, i) => (rows.values[4 * i] ?? 0) + (rows.values[4 * i + 1] ?? 0));
    expect(Math.abs((first[7] ?? 0) - (first[3] ?? 0))).toBeCloseTo(
      Math.abs((along[7] ?? 0) - (along[3] ?? 0)) / Math.SQRT2,
      0,
    );
  });

  it("of features without variance are nothing, and never NaN", () => {
    const same: Rows = { values: new Float32Array(20).fill(3), count: 5, width: 4 };
    expect(
      principalCoordinates(same, 3)
        .flat()
        .every((value) => value === 0),
    ).toBe(true);
    expect(principalCoordinates({ ...same, width: 2, count: 10 }, 3)[0]).toHaveLength(2);
  });
});

describe("neighbours and places", () => {
  it("the nearest by cosine come first, never the row itself", () => {
    const rows: Rows = { values: Float32Array.from([1, 0, 5, 0.1, 0, 1, -1, 0]), count: 4, width: 2 };
    expect(neighboursOf(rows, 0, 2).map(({ index }) => index)).toEqual([1, 2]);
    expect(neighboursOf(rows, 0, 3).at(-1)).toMatchObject({ index: 3, cosine: -1 });
  });

  it("of two clusters lie apart, at the same places every time", () => {
    const random = randomAt({ seed: 2, purpose: "test" });
    const values = new Float32Array(40 * 3);
    for (let i = 0; i < 40; i++) {
      const centre = i % 2 === 0 ? [5, 0, 0] : [0, 5, 0];
      values.set(
        centre.map((value) => value + 0.1 * random.normal()),
        3 * i,
      );
    }
    const { method, places } = planeOf({ values, count: 40, width: 3 });
    expect(method).toBe("UMAP");
    expect(planeOf({ values, count: 40, width: 3 }).places).toEqual(places);
    const far = (a: number, b: number): number =>
      Math.hypot((places[a]?.[0] ?? 0) - (places[b]?.[0] ?? 0), (places[a]?.[1] ?? 0) - (places[b]?.[1] ?? 0));
    const nearest = Array.from({ length: 39 }, (_, i) => i + 1).sort((a, b) => far(0, a) - far(0, b))[0] ?? 1;
    expect(nearest % 2).toBe(0);
    expect(planeOf({ values, count: 6, width: 3 }).method).toBe("principal components");
  });
});

describe("features of a run", async () => {
  const at = join(folder, "trained");
  const run = await makeTrainedRun(at);

  it("are those of its target encoder, for held-out images", async () => {
    const found = await heldOutFeatures({ folder: at, root: ".", limit: 20, patchImages: 4 });
    if (typeof found === "string") throw new Error(found);
    expect(found).toMatchObject({ count: 20, patches: 36, width: 32, patchImages: 4, step: 5 });
    const { image } = run.experiment;
    const bytes = await found.images.pixels(0, 1);
    const plane = image.height * image.width;
    const pixels = Float32Array.from(bytes, (byte, i) => {
      const channel = Math.floor(i / plane);
      return (byte / 255 - (image.mean[channel] ?? 0)) / (image.std[channel] ?? 1);
    });
    const wanted = await run.encode(pixels, "target");
    const worst = Math.max(...[...wanted].map((value, i) => Math.abs(value - (found.byPatch[i] ?? Number.NaN))));
    expect(worst).toBeLessThan(1e-4);
    const mean = [...wanted].filter((_, i) => i % 32 === 0).reduce((sum, value) => sum + value / 36, 0);
    expect(found.pooled[0]).toBeCloseTo(mean, 4);

    const section = await featureSection(found, { id: "f", of: null });
    const [coloured, predicted, nearest, map] = section.figures.map(({ markup }) => markup);
    // Four images with 36 patches each; six rows of one and six neighbours; every image once.
    expect(count(coloured ?? "", 'fill="rgb(')).toBe(4 * 36);
    expect(count(predicted ?? "", "<use ")).toBe(4 * 5);
    expect(count(nearest ?? "", "<use ")).toBe(6 * 7);
    expect(count(map ?? "", "<use ")).toBe(20);
    expect(section.figures.map(({ markup }) => markup).join("")).not.toContain("NaN");
  });

  it("are left out with a sentence where there is no checkpoint", async () => {
    const bare = makeRun(folder, "bare");
    const reported = await reportRuns({ runs: [bare], out: null, root: ".", images: 8 });
    expect(reported.ok && reported.warnings.map(({ code, found }) => [code, found])).toEqual([
      ["W307", "the run has no checkpoint"],
    ]);
  });

  it("that overflow are not drawn", async () => {
    const broken = join(folder, "broken");
    await makeTrainedRun(broken, (path, values) => {
      if (path === "target.norm.weight") values.fill(3e38);
    });
    expect(await heldOutFeatures({ folder: broken, root: ".", limit: 4, patchImages: 4 })).toMatch(/NaN or infinity/);
  });
});
