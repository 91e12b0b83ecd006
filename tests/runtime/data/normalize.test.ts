import { expect, test } from "vitest";
import { normalizationTable, writeNormalized } from "../../../runtime/data/normalize";

const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

test("bytes become (x / 255 − mean) / std in float32, channel by channel", () => {
  const table = normalizationTable(imagenet);
  // PyTorch's ToTensor and Normalize give these.
  expect(table[0]).toBe(Math.fround(-2.1179039478302));
  expect(table[255]).toBeCloseTo(2.2489083, 6);
  expect(table[256]).toBeCloseTo(-2.0357144, 6);
  expect(table[512 + 128]).toBeCloseTo((128 / 255 - 0.406) / 0.225, 6);
});

test("pixels go to three planes, at an offset, and mirrored where asked", () => {
  // Mean 0 and std 1/255 leave the bytes as they are.
  const table = normalizationTable({ mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] });
  const rgb = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12); // 2×2
  const out = new Float32Array(14);
  writeNormalized(rgb, { width: 2, height: 2 }, false, table, out, 1);
  expect([...out].map(Math.round)).toEqual([0, 1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12, 0]);
  writeNormalized(rgb, { width: 2, height: 2 }, true, table, out, 1);
  expect([...out].map(Math.round)).toEqual([0, 4, 1, 10, 7, 5, 2, 11, 8, 6, 3, 12, 9, 0]);
});
