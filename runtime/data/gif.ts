/** GIF as far as it takes to have the colours of transparent pixels, which Pillow keeps and libvips makes black. */

const header = 13;
const extension = 0x21;
const graphicControl = 0xf9;

/** A copy in which the first picture has no transparent colour; the file itself where it has none. */
export function withoutTransparency(file: Uint8Array): Uint8Array {
  let at = header + tableBytes(file[10] ?? 0);
  while (file[at] === extension) {
    if (file[at + 1] === graphicControl) {
      const flags = file[at + 3] ?? 0;
      if (flags % 2 === 0) return file;
      const copy = Uint8Array.from(file);
      copy[at + 3] = flags - 1;
      return copy;
    }
    at += 2;
    for (let size = file[at] ?? 0; size > 0; size = file[at] ?? 0) at += 1 + size;
    at++;
  }
  return file;
}

/** Of the table of colours that the flags of the screen announce. */
const tableBytes = (flags: number): number => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1));
