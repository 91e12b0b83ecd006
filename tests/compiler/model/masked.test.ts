/** Mask tokens among patches: what an encoder is given of a masked image, and its gradients. */
import { describe, expect, test } from "vitest";
import { differentiate } from "../../../compiler/autodiff/gradients";
import { verify } from "../../../compiler/ir/verify";
import { encoderDims, fixed } from "../../../compiler/model/dims";
import { embedMasked } from "../../../compiler/model/masked";
import { batchLeaf, positionsLeaf } from "../../../compiler/model/trees";
import type { Dense } from "../../../runtime/engines/reference/tensor";
import { randomValues, runGraph, tensorOf, type Values } from "../../support/run-graph";
import { checkSlopes } from "../../support/slopes";
import { smallNumbers } from "../../support/small-model";

const visible = [
  [3, 9, 15, 2, 0],
  [8, 1, 14, 5, 6],
];
const masked = visible.map((seen) => Array.from({ length: 16 }, (_, i) => i).filter((patch) => !seen.includes(patch)));

const indices = (rows: readonly (readonly number[])[]): Dense => ({
  dtype: "i32",
  shape: [rows.length, rows[0]?.length ?? 0],
  data: Float64Array.from(rows.flat()),
});

const masks: Values = new Map([
  ["visible", indices(visible)],
  ["masked", indices(masked)],
]);

function graphOf(classToken: boolean) {
  const n = { ...smallNumbers, classToken };
  const dims = encoderDims(n);
  const first = classToken ? 1 : 0;
  const seen = fixed("C", 5, "visible patches");
  const hidden = fixed("T", 11, "masked patches");
  const encoded = fixed("CE", first + 5, "what is seen", { how: "sum", of: [first, seen] });
  const sequence = fixed("S", first + 16, "all tokens", { how: "sum", of: [encoded, hidden] });
  const leaf = (name: string, count: typeof seen) => batchLeaf(name, { dtype: "i32", shape: [dims.images, count] });
  const graph = embedMasked(
    n,
    { ...dims, encoded, sequence },
    {
      positions: positionsLeaf("positions", dims, dims.encoder.width),
      visible: leaf("visible", seen),
      masked: leaf("masked", hidden),
    },
  );
  return verify(graph, "the model");
}

describe.each([false, true])("with a class token: %s", (classToken) => {
  const graph = graphOf(classToken);

  test("a masked patch is the mask token, any other its pixels embedded, both at their position", () => {
    const values = new Map([...runGraph(graph, new Map([...randomValues(graph, 5, 16), ...masks]))]);
    const read = (name: string, ...at: readonly number[]): number => {
      const { shape, data } = tensorOf(values, name);
      return data[at.reduce((sum, i, axis) => sum * (shape[axis] ?? 0) + i, 0)] ?? Number.NaN;
    };
    const first = classToken ? 1 : 0;
    for (const image of [0, 1]) {
      const order = [...(visible[image] ?? []), ...(masked[image] ?? [])];
      for (let d = 0; d < 8; d++) {
        if (classToken) {
          const token = read("classToken", d) + read("classPosition", image, 0, d);
          expect(read("out", image, 0, d)).toBeCloseTo(token, 12);
        }
        order.forEach((patch, i) => {
          const pixels = Array.from({ length: 27 }, (_, v) => read("patches", image, patch, v));
          const embedded = pixels.reduce(
            (sum, value, v) => sum + value * read("patchEmbed.weight", v, d),
            read("patchEmbed.bias", d),
          );
          const token = i < 5 ? embedded : read("maskToken", d);
          expect(read("out", image, first + i, d)).toBeCloseTo(token + read("positions", patch, d), 12);
        });
      }
    }
  });

  test("gradients are slopes", () => {
    checkSlopes({ gradients: differentiate(graph, { input: true }) }, masks);
  });
});
