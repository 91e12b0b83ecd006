/** The compiled passes of resample.as with a memory of their own. */
import { resampleWasm } from "./resample-wasm";

/** All are places in the memory, sizes in bytes unless they count rows or pixels: see resample.as. */
interface Passes {
  alongRows(
    source: number,
    sourceStride: number,
    count: number,
    first: number,
    taps: number,
    weights: number,
    weightStride: number,
    width: number,
    out: number,
    outStride: number,
  ): void;
  alongColumns(
    source: number,
    stride: number,
    first: number,
    taps: number,
    weights: number,
    weightStride: number,
    height: number,
    out: number,
  ): void;
  packed(source: number, stride: number, width: number, height: number, out: number): void;
}

export interface Kernel extends Passes {
  /** The whole memory, at least so long; what was given before is no longer valid where it had to grow. */
  memoryOf(bytes: number): Uint8Array;
}

/** As far as it is used here; the types of Node have none of it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (pages: {
    readonly initial: number;
  }) => { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

const pageBytes = 65536;
let module: object | null = null;

export function openKernel(): Kernel {
  module ??= new WebAssembly.Module(Buffer.from(resampleWasm, "base64"));
  const memory = new WebAssembly.Memory({ initial: 16 });
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  // Compiled from resample.as, whose functions these are.
  const passes = instance.exports as Passes;
  let bytes = new Uint8Array(memory.buffer);
  return {
    alongRows: passes.alongRows,
    alongColumns: passes.alongColumns,
    packed: passes.packed,
    memoryOf: (length) => {
      if (length > bytes.length) {
        memory.grow(Math.ceil((length - bytes.length) / pageBytes));
        bytes = new Uint8Array(memory.buffer);
      }
      return bytes;
    },
  };
}
