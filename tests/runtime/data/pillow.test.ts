/** The same bytes as Pillow's `Image.open(file).convert("RGB")`, which make-fixtures.py has recorded (Pillow 13.0.0). */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { inflateSync } from "node:zlib";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import type { Size } from "../../../runtime/data/crop";
import { decodeImage } from "../../../runtime/data/decode";
import { formatOf } from "../../../runtime/data/image-format";
import { pixelsOf } from "./fixture";

const folder = new URL("./pillow/", import.meta.url);
const [width, height] = [33, 22];
const bytes = 3 * width * height;
const names: readonly string[] = JSON.parse(readFileSync(new URL("names.json", folder), "utf8"));
const pixels = inflateSync(readFileSync(new URL("pixels.bin", folder)));
const whole = (size: Size) => ({ left: 0, top: 0, ...size });

/** Of 255, at most and on average. libheif and Pillow's libavif interpolate the colours of AVIF differently. */
const differing: { readonly [name: string]: { readonly most: number; readonly mean: number } } = {
  "lossy.avif": { most: 8, mean: 2.5 },
};

test.each(names.map((name, i) => ({ name, i })))("$name", async ({ name, i }) => {
  const want = pixels.subarray(i * bytes, (i + 1) * bytes);
  const file = await readFile(new URL(name, folder));
  const got = pixelsOf(await decodeImage(file, whole));
  expect([got.width, got.height, got.data.length]).toEqual([width, height, bytes]);
  const apart = Array.from(want, (value, at) => Math.abs(value - (got.data[at] ?? -1000)));
  const { most, mean } = differing[name] ?? { most: 0, mean: 0 };
  expect(Math.max(...apart)).toBeLessThanOrEqual(most);
  expect(apart.reduce((sum, one) => sum + one, 0) / bytes).toBeLessThanOrEqual(mean);
  // A box is that part of it.
  const box = pixelsOf(await decodeImage(file, () => ({ left: 9, top: 5, width: 8, height: 7 })));
  expect([...box.data.subarray(0, 24)]).toEqual([...got.data.subarray(3 * (5 * width + 9), 3 * (5 * width + 17))]);
});

test("a picture is turned upright where that is asked for, before its box is chosen", async () => {
  const file = await readFile(new URL("turned.jpg", folder));
  const sizes: Size[] = [];
  const seen = (size: Size) => {
    sizes.push(size);
    return whole(size);
  };
  const lying = pixelsOf(await decodeImage(file, seen));
  const upright = pixelsOf(await decodeImage(file, seen, { exifRotation: true }));
  expect(sizes.map((size) => [size.width, size.height])).toEqual([
    [width, height],
    [height, width],
  ]);
  // Orientation 6: the left column, read upwards, is the top row.
  const corner = (height - 1) * width * 3;
  expect([...upright.data.subarray(0, 3)]).toEqual([...lying.data.subarray(corner, corner + 3)]);
});

describe("what is no image that is read", () => {
  const drawing = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>';
  const cases: readonly (readonly [name: string, file: Buffer])[] = [
    ["SVG", Buffer.from(drawing)],
    ["SVG after a declaration", Buffer.from(`<?xml version="1.0"?>\n${drawing}`)],
    ["PDF", Buffer.from("%PDF-1.4\n1 0 obj")],
    ["a portable pixmap", Buffer.from("P6 1 1 255 abc")],
    ["HEIC", Buffer.from("\0\0\0\x18ftypheic\0\0\0\0mif1heic", "latin1")],
    ["text", Buffer.from("no image")],
  ];
  test.each(cases)("%s, whatever it is called", async (_, file) => {
    expect(formatOf(file)).toBeNull();
    await expect(decodeImage(file, whole)).rejects.toThrow("unsupported image format");
  });

  test("libvips would have drawn that SVG", async () => {
    expect((await sharp(Buffer.from(drawing)).metadata()).format).toBe("svg");
  });
});
