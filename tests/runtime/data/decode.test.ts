import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { describe, expect, test } from "vitest";
import type { Box, Size } from "../../../runtime/data/crop";
import { decodeImage } from "../../../runtime/data/decode";
import { pixelsOf, temporaryFolder } from "./fixture";

const whole = ({ width, height }: Size): Box => ({ left: 0, top: 0, width, height });

/** Left half red, right half blue: 16×8. */
function redBlue(): Sharp {
  const data = Uint8Array.from({ length: 16 * 8 * 3 }, (_, i) => {
    const left = Math.floor(i / 3) % 16 < 8;
    return i % 3 === (left ? 0 : 2) ? 200 : 0;
  });
  return sharp(data, { raw: { width: 16, height: 8, channels: 3 } });
}

async function decoded(name: string, image: Sharp, choose = whole) {
  const path = join(await temporaryFolder(), name);
  await image.toFile(path);
  const { data, width, height } = pixelsOf(await decodeImage(await readFile(path), choose));
  const pixel = (x: number, y: number): number[] => [...data.subarray(3 * (y * width + x), 3 * (y * width + x) + 3)];
  return { data, width, height, pixel };
}

describe("everything becomes 8-bit RGB", () => {
  const cases: readonly { name: string; image: () => Sharp; want: number[]; slack: number }[] = [
    { name: "plain.png", image: redBlue, want: [200, 0, 0], slack: 0 },
    {
      name: "plain.jpg",
      image: () => redBlue().jpeg({ quality: 100, chromaSubsampling: "4:4:4" }),
      want: [200, 0, 0],
      slack: 3,
    },
    { name: "plain.webp", image: () => redBlue().webp({ lossless: true }), want: [200, 0, 0], slack: 0 },
    { name: "alpha.png", image: () => redBlue().ensureAlpha(0.5), want: [200, 0, 0], slack: 0 },
    { name: "palette.png", image: () => redBlue().png({ palette: true }), want: [200, 0, 0], slack: 2 },
    { name: "sixteen-bit.png", image: () => redBlue().toColourspace("rgb16"), want: [200, 0, 0], slack: 1 },
    {
      name: "cmyk.jpg",
      image: () => redBlue().toColourspace("cmyk").jpeg({ quality: 100 }),
      want: [200, 0, 0],
      slack: 60,
    },
  ];
  for (const { name, image, want, slack } of cases) {
    test(name, async () => {
      const got = await decoded(name, image());
      expect([got.width, got.height, got.data.length]).toEqual([16, 8, 16 * 8 * 3]);
      for (const [c, value] of got.pixel(3, 4).entries())
        expect(Math.abs(value - (want[c] ?? 0))).toBeLessThanOrEqual(slack);
    });
  }
  for (const name of ["grey.png", "grey.jpg"]) {
    test(name, async () => {
      const got = await decoded(name, redBlue().greyscale().toColourspace("b-w"));
      expect(got.data.length).toBe(16 * 8 * 3);
      const [r, g, b] = got.pixel(3, 4);
      expect([g, b]).toEqual([r, r]);
    });
  }
});

test("a box is the part of the whole image, to the bit", async () => {
  const data = Uint8Array.from({ length: 40 * 30 * 3 }, (_, i) => (i * i * 7 + i) % 251);
  const image = (): Sharp => sharp(data, { raw: { width: 40, height: 30, channels: 3 } }).jpeg({ quality: 90 });
  const all = await decoded("a.jpg", image());
  const part = await decoded("b.jpg", image(), () => ({ left: 11, top: 5, width: 17, height: 13 }));
  expect(part.pixel(0, 0)).toEqual(all.pixel(11, 5));
  expect(part.pixel(16, 12)).toEqual(all.pixel(27, 17));
});

test("files that are no images, are empty or end early are refused", async () => {
  const folder = await temporaryFolder();
  const jpeg = await redBlue().resize(200, 200).jpeg().toBuffer();
  await writeFile(join(folder, "text.jpg"), "not an image");
  await writeFile(join(folder, "empty.png"), "");
  await writeFile(join(folder, "cut.jpg"), jpeg.subarray(0, jpeg.length / 2));
  for (const name of ["text.jpg", "empty.png", "cut.jpg"]) {
    await expect(decodeImage(await readFile(join(folder, name)), whole), name).rejects.toThrow();
  }
});
