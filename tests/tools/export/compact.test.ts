/** Number formats of exported weights. */
import { describe, expect, test } from "vitest";
import { decode } from "../../../runtime/checkpoint/dtypes";
import { randomAt } from "../../../runtime/random/random";
import { toHalf, toInt8Columns } from "../../../tools/export/onnx/compact";

const back = (halves: Uint16Array): Float32Array => {
  const values = decode("F16", new Uint16Array(halves).buffer);
  if (!(values instanceof Float32Array)) throw new Error("no floats");
  return values;
};

describe("halves", () => {
  // Value, its half by IEEE 754.
  test.each([
    [0, 0],
    [1, 1],
    [-2.5, -2.5],
    [1 + 2 ** -11, 1],
    [1 + 3 * 2 ** -11, 1 + 2 ** -9],
    [65504, 65504],
    [1e6, 65504],
    [-1e6, -65504],
    [2 ** -14, 2 ** -14],
    [2 ** -24, 2 ** -24],
    [2 ** -25, 0],
    [3 * 2 ** -25, 2 ** -23],
    [2 ** -14 - 2 ** -26, 2 ** -14],
    [1e-9, 0],
    [2048 - 2 ** -1, 2048],
  ])("%d", (value, want) => {
    expect(back(toHalf(Float32Array.of(value)))[0]).toBeCloseTo(want, 30);
  });

  test("every half comes back as itself", () => {
    const all = Uint16Array.from({ length: 0x7c00 }, (_, i) => i);
    expect(toHalf(back(all))).toEqual(all);
  });
});

test("int8 is within half a step of its column, and uses the whole range", () => {
  const values = new Float32Array(600);
  randomAt({ seed: 1, purpose: "int8" }).fillNormal(values, 0.2);
  for (let i = 0; i < 600; i += 3) values[i] = 0;
  const { values: steps, scales } = toInt8Columns(values, 3);
  expect(scales[0]).toBe(1);
  for (const [i, value] of values.entries()) {
    const scale = scales[i % 3] ?? 0;
    expect(Math.abs((steps[i] ?? 0) * scale - value)).toBeLessThanOrEqual(scale * 0.5001);
  }
  expect(Math.max(...steps.map(Math.abs))).toBe(127);
});
