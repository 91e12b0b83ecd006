/** A box that libjpeg-turbo decodes alone has the bytes that sharp's whole image has there. */
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import type { Box, Size } from "../../../../runtime/data/crop";
import { decodeBySharp, decodeImage } from "../../../../runtime/data/decode";
import { cutJpeg } from "../../../../runtime/data/jpeg/cut-jpeg";
import { turbojpegLibrary, turbojpegPackage } from "../../../../runtime/data/jpeg/turbojpeg";
import type { RgbImage } from "../../../../runtime/data/resample";
import { type Random, randomAt } from "../../../../runtime/random/random";
import { pixelsOf } from "../fixture";
import { encodeJpeg, subsamplings } from "./encode-jpeg";

const isThere = turbojpegLibrary() !== null;
if (!isThere)
  console.warn(`${turbojpegPackage} has no library for this platform or is not installed: sharp decodes JPEG.`);

const whole = ({ width, height }: Size): Box => ({ left: 0, top: 0, width, height });
const seed = Number(process.env.IJEPA_TEST_SEED ?? 1);

function randomImage(random: Random): RgbImage {
  const [width, height] = [1 + random.integer(150), 1 + random.integer(150)];
  const noise = random.integer(200);
  const [across, down] = [random.uniform() / 5, random.uniform() / 5];
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    const wave = 100 * Math.sin(across * x * (1 + (i % 3)) + down * y);
    return Math.max(0, Math.min(255, 128 + wave + (random.uniform() - 0.5) * noise));
  });
  return { data, width, height };
}

function randomBox(random: Random, size: Size): Box {
  const [width, height] = [1 + random.integer(size.width), 1 + random.integer(size.height)];
  return {
    ...{ left: random.integer(size.width - width + 1), top: random.integer(size.height - height + 1) },
    ...{ width, height },
  };
}

const kinds = subsamplings.flatMap((subsampling) =>
  [false, true].map((progressive) => ({ subsampling, progressive, how: progressive ? "progressive" : "baseline" })),
);

test.skipIf(!isThere).each(kinds)("random boxes of $subsampling, $how", async ({ subsampling, progressive }) => {
  for (let i = 0; i < 12; i++) {
    const random = randomAt({ seed, purpose: `jpeg ${subsampling} ${progressive}`, sample: i });
    const quality = 30 + random.integer(71);
    const file = encodeJpeg(randomImage(random), {
      ...{ subsampling, progressive, quality, restarts: random.uniform() < 0.3 },
    });
    const image = await decodeBySharp(file, whole);
    // A column beside the border of blocks, and what is left of the last blocks: where parts get narrow.
    const beside = Math.min(16 * random.integer(10) + 1, image.width - 1);
    const right = 1 + random.integer(Math.min(9, image.width));
    const boxes = [
      whole(image),
      { ...whole(image), left: beside, width: 1 },
      { ...whole(image), left: image.width - right, width: right },
      ...Array.from({ length: 12 }, () => randomBox(random, image)),
    ];
    for (const box of boxes) {
      const cut = cutJpeg(file, () => box);
      if (cut === null) throw new Error("it was left to sharp");
      const got = pixelsOf(cut).data;
      const want = pixelsOf({ image, box }).data;
      const where = `seed ${seed}, image ${i} of ${image.width}×${image.height}, ${JSON.stringify(box)}`;
      expect(
        got.findIndex((byte, at) => byte !== want[at]),
        where,
      ).toBe(-1);
    }
  }
});

describe.skipIf(!isThere)("a part of a JPEG is decoded, and no more", () => {
  test("a small box of a large image", async () => {
    const file = await sharp({ create: { width: 640, height: 480, channels: 3, background: "red" } })
      .jpeg()
      .toBuffer();
    const cut = cutJpeg(file, () => ({ left: 300, top: 200, width: 50, height: 40 }));
    // From the border of an MCU that is at least 8 pixels to the left, to 2 pixels to the right.
    expect([cut?.image.width, cut?.image.height]).toEqual([300 + 50 + 2 - 288, 40]);
    expect(cut?.box).toEqual({ left: 12, top: 0, width: 50, height: 40 });
  });
});

describe.skipIf(!isThere)("a damaged file is read alike", () => {
  test.each([false, true])("progressive: %s", async (progressive) => {
    const random = randomAt({ seed, purpose: "jpeg damage", sample: Number(progressive) });
    const jpeg = encodeJpeg(randomImage(random), { subsampling: "4:2:0", progressive, quality: 90, restarts: false });
    for (let i = 0; i < 60; i++) {
      const file = Buffer.from(jpeg);
      for (let bytes = 1 + random.integer(3); bytes > 0; bytes--) {
        file[random.integer(file.length - 2)] = random.integer(256);
      }
      let box: Box = { left: 0, top: 0, width: 1, height: 1 };
      const cut = cutJpeg(file, (size) => {
        box = i % 2 === 0 ? whole(size) : randomBox(random, size);
        return box;
      });
      if (cut === null) continue;
      const want = await decodeBySharp(file, () => box);
      expect(Buffer.compare(pixelsOf(cut).data, want.data), `seed ${seed}, file ${i}`).toBe(0);
    }
  });
});

describe("what is left to sharp", async () => {
  const rgb = sharp(Buffer.alloc(3 * 64 * 64, "noise of a kind"), { raw: { width: 64, height: 64, channels: 3 } });
  const jpeg = await rgb.clone().jpeg({ quality: 95 }).toBuffer();
  const end = Buffer.from([0xff, 0xd9]);
  const cases: readonly (readonly [what: string, file: Buffer])[] = [
    ["a file that ends early", jpeg.subarray(0, jpeg.length / 2)],
    ["one that ends early with an end marker", Buffer.concat([jpeg.subarray(0, jpeg.length - 200), end])],
    ["one that ends in its header", Buffer.concat([jpeg.subarray(0, 40), end])],
    ["one without its end marker", jpeg.subarray(0, jpeg.length - 2)],
    ["bytes after the end marker", Buffer.concat([jpeg, Buffer.alloc(3)])],
    ["CMYK", await rgb.clone().toColourspace("cmyk").jpeg().toBuffer()],
    ["no image", Buffer.from([0xff, 0xd8, 0xff, 0, 1, 2, 3])],
  ];
  const outcome = (decoding: Promise<RgbImage>): Promise<Buffer | "refused"> =>
    decoding.then(
      ({ data }) => Buffer.from(data),
      () => "refused",
    );
  test.each(cases)("%s", async (_, file) => {
    expect(cutJpeg(file, whole)).toBeNull();
    const [got, want] = await Promise.all([
      outcome(decodeImage(file, whole).then(pixelsOf)),
      outcome(decodeBySharp(file, whole)),
    ]);
    expect(got).toEqual(want);
  });

  test("a file that fails spoils none after it", () => {
    for (const [, file] of cases) {
      cutJpeg(file, whole);
      expect(cutJpeg(jpeg, whole) === null).toBe(!isThere);
    }
  });

  test("a box that is not in the image", async () => {
    await expect(decodeImage(jpeg, () => ({ left: 60, top: 0, width: 9, height: 9 }))).rejects.toThrow();
  });
});
