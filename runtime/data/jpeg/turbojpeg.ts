/**
 * libjpeg-turbo by its own interface (TurboJPEG 3), through koffi: it decodes the part of a JPEG that is wanted, at a quarter of
 * sharp's cost. The npm package @julusian/jpeg-turbo has it as a shared library for Linux; where there is none, sharp decodes.
 */
import { join } from "node:path";
import { resolveExternal } from "../../engines/external";
import { type Argument, type Library, loadKoffi } from "../../engines/koffi";
import type { Box, Size } from "../crop";

export const turbojpegPackage = "@julusian/jpeg-turbo";

export interface JpegHeader extends Size {
  /** Pixels that blocks of all colours share: a part that is decoded begins at a multiple. */
  readonly mcuWidth: number;
}

/** Serves one thread. */
export interface Turbojpeg {
  /** Null where the file is damaged, or of a kind that is left to sharp. */
  header(file: Uint8Array): JpegHeader | null;
  /** RGB of a part of the file whose header was read last; false where anything about the file is unusual, down to a warning. */
  decode(file: Uint8Array, part: Box, rgb: Uint8Array): boolean;
}

/** From turbojpeg.h: TJINIT, TJPARAM, TJPF. */
const decompressor = 1;
const parameters = { stopOnWarning: 0, subsampling: 4, width: 5, height: 6, precision: 7, colorspace: 8 } as const;
const kinds = { arithmetic: 14, lossless: 15 } as const;
const rgbPixels = 0;

/** By TJSAMP: 4:4:4, 4:2:2, 4:2:0, grey, 4:4:0, 4:1:1, 4:4:1. */
const mcuWidths: readonly number[] = [8, 16, 16, 8, 8, 32, 8];

/** By TJCS: RGB, YCbCr and grey; CMYK is not among them, which Pillow converts in its own way. */
const lastColorspace = 2;

/** sharp's limit: what is larger is left to it to refuse. */
const mostPixels = 0x3fff ** 2;

let opened: Turbojpeg | null | undefined;

/** Null where the package, koffi, or a library for this platform is missing. */
export function turbojpeg(): Turbojpeg | null {
  if (opened === undefined) {
    const library = turbojpegLibrary();
    opened = library === null ? null : open(library);
  }
  return opened;
}

/** The library itself, likewise. */
export function turbojpegLibrary(): Library | null {
  const manifest = resolveExternal(`${turbojpegPackage}/package.json`);
  if (manifest === undefined || process.platform !== "linux") return null;
  // Each needs another C library, and so only one of them loads.
  for (const libc of ["", "-musl"]) {
    try {
      const folder = `jpeg-turbo-${process.platform}-${process.arch}${libc}`;
      return loadKoffi().load(join(manifest, "..", "prebuilds", folder, "libturbojpeg.so.0"));
    } catch {
      // sharp decodes the same pixels.
    }
  }
  return null;
}

/**
 * By its end marker. libjpeg-turbo reads no further than the part that is wanted and takes a file that ends below it for a good
 * one; sharp reads ahead and refuses most of them. No run may depend on which of the two is installed.
 */
function endsAsJpeg(file: Uint8Array): boolean {
  return file.at(-2) === 0xff && file.at(-1) === 0xd9;
}

function open(library: Library): Turbojpeg {
  const region = loadKoffi().struct({ x: "int", y: "int", w: "int", h: "int" });
  const get = library.func("int tj3Get(void *handle, int parameter)");
  const readHeader = library.func("int tj3DecompressHeader(void *handle, const uint8_t *file, size_t bytes)");
  const setRegion = library.func("tj3SetCroppingRegion", "int", ["void *", region]);
  const decompress = library.func(
    "int tj3Decompress8(void *handle, const uint8_t *file, size_t bytes, uint8_t *to, int pitch, int format)",
  );
  const init = library.func("void *tj3Init(int kind)");
  const set = library.func("int tj3Set(void *handle, int parameter, int value)");
  const destroy = library.func("void tj3Destroy(void *handle)");
  const begin = (): Argument => {
    const made = init(decompressor);
    set(made, parameters.stopOnWarning, 1);
    return made;
  };
  // Lives as long as its thread, or until a file fails: 3.1 reads no header after one that did.
  let handle = begin();
  const isDone = (status: unknown): boolean => {
    if (status === 0) return true;
    destroy(handle);
    handle = begin();
    return false;
  };
  const value = (parameter: number): number => Number(get(handle, parameter));
  return {
    header(file) {
      if (!endsAsJpeg(file) || !isDone(readHeader(handle, file, file.length))) return null;
      const mcuWidth = mcuWidths[value(parameters.subsampling)];
      const size = { width: value(parameters.width), height: value(parameters.height) };
      const isUsual =
        value(parameters.precision) === 8 &&
        value(parameters.colorspace) <= lastColorspace &&
        value(kinds.arithmetic) === 0 &&
        value(kinds.lossless) === 0 &&
        size.width * size.height <= mostPixels;
      return isUsual && mcuWidth !== undefined ? { ...size, mcuWidth } : null;
    },
    decode(file, { left, top, width, height }, rgb) {
      return (
        isDone(setRegion(handle, { x: left, y: top, w: width, h: height })) &&
        isDone(decompress(handle, file, file.length, rgb, 3 * width, rgbPixels))
      );
    },
  };
}
