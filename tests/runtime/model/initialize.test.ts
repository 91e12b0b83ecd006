import { describe, expect, test } from "vitest";
import type { Parameter } from "../../../runtime/experiment";
import { initialize } from "../../../runtime/model/initialize";
import { officialJson } from "../../support/official";

interface OfficialInit {
  readonly init_model: Readonly<Record<"encoder" | "predictor", Readonly<Record<string, OfficialParameter>>>>;
}

interface OfficialParameter {
  readonly shape: readonly number[];
  readonly mean: number;
  readonly std: number;
  readonly min: number;
  readonly max: number;
  readonly requires_grad: boolean;
}

function parameter(path: string, shape: readonly number[], init: Parameter["init"]): Parameter {
  return { path, shape, officialName: path, officialShape: shape, transposed: false, init };
}

describe("a tiny model beside the official one", () => {
  const official = Object.entries(officialJson<OfficialInit>("init_stats.json").init_model).flatMap(([network, all]) =>
    Object.entries(all).map(([name, stats]) => ({ path: `${network}.${name}`, stats })),
  );
  const trainable = official.filter(({ stats }) => stats.requires_grad);
  const values = initialize(
    trainable.map(({ path, stats }) => parameter(path, stats.shape, initOf(path, stats))),
    3,
  );

  test.each(trainable)("$path", ({ path, stats }) => {
    const got = statisticsOf(values.get(path));
    const count = stats.shape.reduce((product, size) => product * size, 1);
    expect(got.count).toBe(count);
    // A single official weight of −2 (reference.md §3) moves the recorded spread by more than chance does.
    const std = stats.min === -2 ? 0.02 : stats.std;
    // Five standard errors of both draws together.
    expect(Math.abs(got.mean - stats.mean)).toBeLessThanOrEqual((5 * Math.SQRT2 * std) / Math.sqrt(count));
    expect(Math.abs(got.std - std)).toBeLessThanOrEqual((5 * std) / Math.sqrt(count));
    // Six standard deviations are out of reach at these sizes.
    expect(got.largest).toBeLessThanOrEqual(std === 0 ? Math.max(stats.max, 0) : 0.12);
  });
});

test("ones and zeros", () => {
  const values = initialize([parameter("gain", [3], { kind: "ones" }), parameter("bias", [2], { kind: "zeros" })], 0);
  expect([...values]).toEqual([
    ["gain", Float32Array.of(1, 1, 1)],
    ["bias", Float32Array.of(0, 0)],
  ]);
});

test("a parameter's values depend on the seed and its path, not on its neighbours", () => {
  const [a, b] = ["a", "b"].map((path) => parameter(path, [4, 5], { kind: "normal", std: 1 }));
  if (a === undefined || b === undefined) throw new Error("two parameters");
  expect(initialize([b, a], 1).get("a")).toEqual(initialize([a], 1).get("a"));
  expect(initialize([a, b], 1).get("a")).not.toEqual(initialize([a, b], 1).get("b"));
  expect(initialize([a], 2).get("a")).not.toEqual(initialize([a], 1).get("a"));
});

/** What the compiler plans for a parameter: biases 0, gains 1, all else normal (reference.md §3, "Init"). */
function initOf(path: string, { shape }: OfficialParameter): Parameter["init"] {
  if (path.endsWith("bias")) return { kind: "zeros" };
  return shape.length === 1 ? { kind: "ones" } : { kind: "normal", std: 0.02 };
}

function statisticsOf(values: Float32Array = new Float32Array()) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return { count: values.length, mean, std: Math.sqrt(variance), largest };
}
