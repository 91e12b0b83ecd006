/**
 * Formats of images that are read, told by their first bytes: what a file is called says nothing, and what is in none of these
 * formats reaches no decoder. SVG is none of them: it is a program that draws, and may name other files.
 */

const endings = ["jpg", "jpeg", "png", "webp", "avif", "gif", "tif", "tiff"] as const;

/** For people. */
export const imageEndingsText = `.${endings.slice(0, -1).join(", .")} or .${endings.at(-1)}`;

const imageName = new RegExp(`\\.(${endings.join("|")})$`, "i");

export function isImageName(name: string): boolean {
  return imageName.test(name);
}

export type ImageFormat = "jpeg" | "png" | "webp" | "avif" | "gif" | "tiff";

const magics: readonly (readonly [format: ImageFormat, at: number, bytes: readonly number[]])[] = [
  ["jpeg", 0, [0xff, 0xd8, 0xff]],
  ["png", 0, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["webp", 8, [...Buffer.from("WEBP")]],
  ["gif", 0, [...Buffer.from("GIF8")]],
  ["tiff", 0, [0x49, 0x49, 0x2a, 0]],
  ["tiff", 0, [0x4d, 0x4d, 0, 0x2a]],
  // BigTIFF
  ["tiff", 0, [0x49, 0x49, 0x2b, 0]],
  ["tiff", 0, [0x4d, 0x4d, 0, 0x2b]],
];

/** Null of any other. */
export function formatOf(file: Uint8Array): ImageFormat | null {
  const found = magics.find(([, at, bytes]) => bytes.every((byte, i) => file[at + i] === byte));
  if (found !== undefined) return found[0];
  return isAvif(Buffer.from(file.buffer, file.byteOffset, Math.min(file.byteLength, 256))) ? "avif" : null;
}

/** The first box of the file is `ftyp`, and AVIF is among the brands that it lists (AV1 Image File Format §6). */
function isAvif(start: Buffer): boolean {
  if (start.length < 16 || start.toString("latin1", 4, 8) !== "ftyp") return false;
  const end = Math.min(start.readUInt32BE(0), start.length);
  for (let at = 8; at + 4 <= end; at += 4) {
    if (at !== 12 && ["avif", "avis"].includes(start.toString("latin1", at, at + 4))) return true;
  }
  return false;
}
