/** Casts of the float64 reference: the bfloat16 nearest to a number, and products of such numbers. */
import { describe, expect, it, test } from "vitest";
import { toBfloat16 } from "../../../../runtime/engines/reference/bfloat16";
import { createReferenceEngine, referenceOps } from "../../../../runtime/engines/reference/engine";
import { dense } from "../../../../runtime/engines/reference/tensor";
import { callOp, normalOf, randomOf, sampleCall } from "../../../support/op-calls";
import { bfloat16Samples } from "../../../support/op-samples";
import { testSeed } from "../../../support/seed";

/** The number that 16 bits stand for: the upper half of a float32. */
function numberOf(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint16(0, bits);
  return view.getFloat32(0);
}

describe("the nearest bfloat16", () => {
  const unit = 2 ** -7;
  it.each([
    ["nothing to round", 1 + 3 * unit, 1 + 3 * unit],
    ["below the middle", 1 + 0.49 * unit, 1],
    ["above the middle", 1 + 0.51 * unit, 1 + unit],
    ["the middle, down to even", 1 + 0.5 * unit, 1],
    ["the middle, up to even", 1 + 1.5 * unit, 1 + 2 * unit],
    ["just beside the middle, in float64 only", 1 + 0.5 * unit + 2 ** -52, 1 + unit],
    ["into the next power of two", 2 - 0.25 * unit, 2],
    ["negative", -(1 + 0.51 * unit), -(1 + unit)],
    ["zero", 0, 0],
    ["the sign of zero", -0, -0],
    ["the smallest", 2 ** -133, 2 ** -133],
    ["half of the smallest, to even", 2 ** -134, 0],
    ["between two of the smallest, to even", 1.5 * 2 ** -133, 2 ** -132],
    ["the largest", numberOf(0x7f7f), numberOf(0x7f7f)],
    ["nearly above the largest", numberOf(0x7f7f) * (1 + 2 ** -9), numberOf(0x7f7f)],
    ["above the largest", 2 ** 128, Number.POSITIVE_INFINITY],
    ["the middle above the largest", -(2 - 2 ** -8) * 2 ** 127, Number.NEGATIVE_INFINITY],
    ["no number", Number.NaN, Number.NaN],
  ])("%s", (_, given, want) => {
    expect(toBfloat16(given)).toBe(want);
  });

  it("leaves every bfloat16 as it is, and takes the middle of two neighbours to the even one", () => {
    for (let bits = 0; bits < 0x7f7f; bits++) {
      const [low, high] = [numberOf(bits), numberOf(bits + 1)];
      const middle = (low + high) / 2;
      const even = bits % 2 === 0 ? low : high;
      const found = [toBfloat16(low), toBfloat16(middle), toBfloat16(-middle)];
      if (found[0] !== low || found[1] !== even || found[2] !== -even) {
        expect(found, `0x${bits.toString(16)}`).toEqual([low, even, -even]);
      }
    }
  });

  it(`is never further away than 2⁻⁸ of the number (seed ${testSeed})`, () => {
    const random = randomOf(testSeed);
    for (let i = 0; i < 10_000; i++) {
      const x = normalOf(random) * 2 ** Math.round(60 * (random() - 0.5));
      expect(Math.abs(toBfloat16(x) - x)).toBeLessThanOrEqual(2 ** -8 * Math.abs(x));
    }
  });
});

test("a product of operands in bfloat16 is not rounded itself", () => {
  const rounded = (shape: readonly number[], ...numbers: readonly number[]) =>
    callOp(referenceOps, "toBf16", [dense(shape, Float64Array.from(numbers))], {});
  const operands = [...rounded([1, 2], 1 + 2 ** -7, 2 ** -9), ...rounded([2, 1], 1 + 2 ** -7, 1)];
  const [product] = callOp(referenceOps, "matmul", operands, { scale: 1 });
  expect(product).toMatchObject({ dtype: "f32", data: Float64Array.of((1 + 2 ** -7) ** 2 + 2 ** -9) });
});

test.each(bfloat16Samples)("%s takes and gives what its types say", async (op, sample) => {
  const reference = await createReferenceEngine();
  const { fn, inputs, lengths } = sampleCall(op, "symbolic", testSeed, sample);
  const found = await (await reference.load(fn, reference.createStore(new Map()))).run(inputs, lengths);
  expect([...found.values()].every((values) => values.every(Number.isFinite))).toBe(true);
});
