import { expect, test } from "vitest";
import { writePlanes } from "../../../runtime/data/pixels";

test("pixels go to three planes, at an offset, and mirrored where asked", () => {
  const rgb = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12); // 2×2
  const out = new Uint8Array(14);
  writePlanes(rgb, { width: 2, height: 2 }, false, out, 1);
  expect([...out]).toEqual([0, 1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12, 0]);
  writePlanes(rgb, { width: 2, height: 2 }, true, out, 1);
  expect([...out]).toEqual([0, 4, 1, 10, 7, 5, 2, 11, 8, 6, 3, 12, 9, 0]);
});
