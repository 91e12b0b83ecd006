import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createResampler } from "../../../runtime/data/resample";

interface Case {
  readonly image: [number, number];
  readonly box: [number, number, number, number];
  readonly to: [number, number];
  /** Hexadecimal. */
  readonly rgb: string;
}

const golden: { pillow: string; cases: Case[] } = JSON.parse(
  readFileSync(new URL("./golden/pillow-bilinear.json", import.meta.url), "utf8"),
);

/** The made-up image of golden/pillow-bilinear.py. */
function pixels(width: number, height: number): Uint8Array {
  return Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * i * 31 + i * 17 + (i >> 3) * 101) % 256);
}

describe("resample equals Pillow's BILINEAR to the bit", () => {
  const { resample } = createResampler(); // one for all cases: its memory is reused
  for (const { image, box, to, rgb } of golden.cases) {
    test(`${image.join("×")}, box ${box.join(",")} → ${to.join("×")}`, () => {
      const [width, height] = image;
      const [left, top, w, h] = box;
      const out = resample(
        { data: pixels(width, height), width, height },
        { left, top, width: w, height: h },
        { width: to[0], height: to[1] },
      );
      const got = out.subarray(0, to[0] * to[1] * 3);
      // Numbers, not one long text: a failure then shows only what differs.
      expect(got.findIndex((byte, i) => byte !== Buffer.from(rgb, "hex")[i])).toBe(-1);
    });
  }
});

describe("resample, by hand", () => {
  const grey = (levels: readonly number[]): Uint8Array =>
    Uint8Array.from(levels.flatMap((level) => [level, level, level]));
  const rows: readonly { given: number[]; to: number; want: number[]; why: string }[] = [
    { given: [0, 100], to: 4, want: [0, 25, 75, 100], why: "quarter points between two middles" },
    {
      given: [0, 100, 200, 40],
      to: 2,
      want: [71, 117],
      why: "weights 3 3 1 of 7, as the triangle is cut at the border",
    },
    { given: [10, 20, 30], to: 3, want: [10, 20, 30], why: "the same size changes nothing" },
    { given: [50], to: 3, want: [50, 50, 50], why: "one pixel fills everything" },
  ];
  for (const { given, to, want, why } of rows) {
    test(`${given.join(" ")} → ${want.join(" ")}: ${why}`, () => {
      const image = { data: grey(given), width: given.length, height: 1 };
      const box = { left: 0, top: 0, width: given.length, height: 1 };
      const across = createResampler().resample(image, box, { width: to, height: 1 });
      expect([...across.subarray(0, 3 * to)]).toEqual([...grey(want)]);
      const column = { data: grey(given), width: 1, height: given.length };
      const down = createResampler().resample(
        column,
        { left: 0, top: 0, width: 1, height: given.length },
        { width: 1, height: to },
      );
      expect([...down.subarray(0, 3 * to)]).toEqual([...grey(want)]);
    });
  }
});
