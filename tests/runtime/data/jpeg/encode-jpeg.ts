/** JPEG of any subsampling, which sharp does not write: by the compressor of the library that is tested. */
import { turbojpegLibrary } from "../../../../runtime/data/jpeg/turbojpeg";
import type { RgbImage } from "../../../../runtime/data/resample";
import { loadKoffi, type Pointer } from "../../../../runtime/engines/koffi";

/** By their numbers in turbojpeg.h. */
export const subsamplings = ["4:4:4", "4:2:2", "4:2:0", "grey", "4:4:0", "4:1:1", "4:4:1"] as const;

export interface JpegKind {
  readonly subsampling: (typeof subsamplings)[number];
  readonly progressive: boolean;
  /** 1 to 100. */
  readonly quality: number;
  /** A restart marker after each row of blocks. */
  readonly restarts: boolean;
}

/** From turbojpeg.h. */
const parameters = { quality: 3, subsampling: 4, progressive: 12, restartRows: 19 } as const;

export function encodeJpeg({ data, width, height }: RgbImage, kind: JpegKind): Uint8Array {
  const library = turbojpegLibrary();
  if (library === null) throw new Error("internal: asked to encode without the library");
  const handle = library.func("void *tj3Init(int kind)")(0);
  const set = library.func("int tj3Set(void *handle, int parameter, int value)");
  set(handle, parameters.quality, kind.quality);
  set(handle, parameters.subsampling, subsamplings.indexOf(kind.subsampling));
  set(handle, parameters.progressive, Number(kind.progressive));
  set(handle, parameters.restartRows, Number(kind.restarts));
  const at: (Pointer | null)[] = [null];
  const bytes: number[] = [0];
  const compress = library.func(
    "int tj3Compress8(void *handle, const uint8_t *rgb, int width, int pitch, int height, int format, _Inout_ void **file, _Inout_ size_t *bytes)",
  );
  const status = compress(handle, data, width, 0, height, 0, at, bytes);
  const [pointer] = at;
  if (status !== 0 || pointer === null || pointer === undefined) throw new Error("it was not encoded");
  const file = new Uint8Array(loadKoffi().view(pointer, Number(bytes[0]))).slice();
  library.func("void tj3Free(void *memory)")(pointer);
  library.func("void tj3Destroy(void *handle)")(handle);
  return file;
}
