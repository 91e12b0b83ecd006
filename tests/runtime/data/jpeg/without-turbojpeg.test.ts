/** A machine without libjpeg-turbo: sharp decodes JPEG. */
import sharp from "sharp";
import { expect, test, vi } from "vitest";
import { decodeBySharp, decodeImage } from "../../../../runtime/data/decode";
import { cutJpeg } from "../../../../runtime/data/jpeg/cut-jpeg";
import { turbojpegLibrary } from "../../../../runtime/data/jpeg/turbojpeg";

vi.mock(import("../../../../runtime/engines/external"), async (original) => {
  const real = await original();
  return {
    ...real,
    resolveExternal: (request) => (request.includes("jpeg-turbo") ? undefined : real.resolveExternal(request)),
  };
});

test("the box has the same bytes", async () => {
  const noise = { type: "gaussian", mean: 128, sigma: 50 } as const;
  const file = await sharp({ create: { width: 99, height: 70, channels: 3, background: "red", noise } })
    .jpeg()
    .toBuffer();
  const box = { left: 31, top: 18, width: 40, height: 33 };
  expect(turbojpegLibrary()).toBeNull();
  expect(cutJpeg(file, () => box)).toBeNull();
  const { image } = await decodeImage(file, () => box);
  expect(Buffer.compare(image.data, (await decodeBySharp(file, () => box)).data)).toBe(0);
});
