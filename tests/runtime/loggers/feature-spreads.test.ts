/** What loggers are shown of the features of an evaluation. */
import { expect, test } from "vitest";
import { featureSpreads } from "../../../runtime/loggers/feature-spreads";
import type { Spread } from "../../../runtime/loggers/logger";

test("the deviation of every feature over the images, and the norm of every image's", () => {
  const heard: [number, Spread][] = [];
  const show = featureSpreads({ spread: (step, spread) => heard.push([step, spread]) });
  // Two images of three features, of which the second is always 4.
  show?.(30, { images: 2, dimension: 3, values: Float32Array.of(3, 4, 0, 1, 4, 2) });
  expect(heard).toEqual([
    [30, { name: "features/std", values: Float32Array.of(1, 0, 1) }],
    [30, { name: "features/norm", values: Float32Array.of(5, Math.sqrt(21)) }],
  ]);
});

test("nothing where no logger asks for it", () => {
  expect(featureSpreads({ spread: null })).toBe(null);
});
