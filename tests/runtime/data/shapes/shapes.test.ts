import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createSceneCache, openScenes } from "../../../../runtime/data/scene-cache";
import { mostObjects } from "../../../../runtime/data/shapes/draw";
import { createRenderer } from "../../../../runtime/data/shapes/render";
import { distanceEdges } from "../../../../runtime/data/shapes/scene";
import { type Split, sceneAt, shapesTasks } from "../../../../runtime/data/shapes/shapes";
import type { ShapesData } from "../../../../runtime/experiment";

const data = (difficulty: number): ShapesData => ({
  kind: "shapes",
  trainImages: 400,
  validationImages: 100,
  testImages: 100,
  sceneSize: 64,
  difficulty,
  seed: 3,
});

const splits: readonly Split[] = ["train", "validation", "test"];

function hashOf(difficulty: number, split: Split, from: number, count: number): string {
  const renderer = createRenderer(64);
  const pixels = new Uint8Array(64 * 64 * 3);
  const hash = createHash("sha256");
  for (let i = from; i < from + count; i++) {
    renderer.render(sceneAt(data(difficulty), split, i), pixels, 0);
    hash.update(pixels);
  }
  return hash.digest("hex").slice(0, 16);
}

test.each([
  [0, "7eba85a22a92d661"],
  [0.5, "ccb1a80f81469585"],
  [1, "fa6eae3d126bd799"],
])("pixels are the same on every machine, at difficulty %f", (difficulty, want) => {
  expect(hashOf(difficulty, "train", 0, 40)).toBe(want);
});

test("splits and numbers never give the same image", () => {
  const seen = splits.flatMap((split) => Array.from({ length: 60 }, (_, i) => hashOf(0.5, split, i, 1)));
  expect(new Set(seen).size).toBe(180);
});

describe.each([0, 0.25, 0.5, 0.75, 1])("difficulty %f", (difficulty) => {
  const plan = data(difficulty);
  const scenes = Array.from({ length: 1200 }, (_, i) => sceneAt(plan, "train", i));

  test("every class is about equally frequent", () => {
    for (const { name, classes, labelOf } of shapesTasks(plan)) {
      const counts = new Array<number>(classes.length).fill(0);
      for (const scene of scenes) {
        const label = labelOf(scene);
        expect(Number.isInteger(label) && label >= 0 && label < classes.length).toBe(true);
        counts[label] = (counts[label] ?? 0) + 1;
      }
      // Five standard deviations of a fair draw.
      const fair = scenes.length / classes.length;
      const slack = 5 * Math.sqrt(fair * (1 - 1 / classes.length));
      for (const [i, count] of counts.entries())
        expect(Math.abs(count - fair), `${name} ${classes[i]}`).toBeLessThan(slack);
    }
  });

  test("the first object is the nearest, at the distance of the label", () => {
    for (const { camera, objects, nearestDistance } of scenes) {
      const distances = objects.map((o) => Math.hypot(o.x - camera.x, o.y - camera.y, o.z - camera.z));
      expect(distances[0]).toBeCloseTo(nearestDistance, 9);
      expect(Math.min(...distances)).toBe(distances[0]);
      expect(nearestDistance).toBeGreaterThanOrEqual(distanceEdges[0]);
      expect(nearestDistance).toBeLessThan(distanceEdges[4]);
      expect(objects.length).toBeLessThanOrEqual(mostObjects(difficulty));
    }
  });

  test("every object that is counted can be seen", () => {
    const renderer = createRenderer(64);
    const pixels = new Uint8Array(64 * 64 * 3);
    let hidden = 0;
    for (const scene of scenes.slice(0, 250)) {
      renderer.render(scene, pixels, 0);
      const shown = new Set(renderer.ids);
      const areas = scene.objects.map((_, i) => renderer.ids.filter((id) => id === i).length);
      expect(shown.has(0)).toBe(true);
      // Twelve pixels are a blob of 3 × 4.
      hidden += areas.filter((area) => area < 12).length;
    }
    expect(hidden).toBeLessThanOrEqual(difficulty > 0.5 ? 12 : 2);
  });
});

test("difficulty 0 has one object and no task about their number; ½ has up to four; 1 up to six", () => {
  expect([0, 0.25, 0.5, 1].map(mostObjects)).toEqual([1, 3, 4, 6]);
  expect(shapesTasks(data(0)).map(({ name }) => name)).toEqual(["shape", "distance"]);
});

test("scenes beyond the cache are rendered each time, with the same bytes", () => {
  const plan = data(0.5);
  const bytes = 64 * 64 * 3;
  const small = openScenes(plan, "train", createSceneCache(plan, 4, 2.5 * bytes)); // holds two
  const large = openScenes(plan, "train", createSceneCache(plan, 4));
  for (const i of [0, 3, 1, 2, 3, 0, 1]) expect(small(i).data).toEqual(large(i).data);
});
