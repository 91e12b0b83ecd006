/**
 * Stacks of matrix products on the wasm backend. Its own kernel gives one product to XNNPACK and loops over several; here
 * every matrix of a stack becomes a tensor of its own for the time of one call, in the memory where it lies.
 */
import type { Info } from "./core";

/** What the wasm backend keeps and lets kernels do. */
export interface WasmBackend {
  readonly wasm: {
    readonly tfjs: {
      registerTensor(id: number, size: number, memoryOffset: number): void;
      disposeData(id: number): void;
    };
    cwrap(name: string, result: null, takes: readonly ("number" | "array")[]): (...args: unknown[]) => void;
  };
  dataIdNextNumber: number;
  readonly dataIdMap: { get(dataId: object): { readonly memoryOffset: number } };
  makeOutput(shape: readonly number[], dtype: string): Info;
  typedArrayFromHeap(tensor: Info): Float32Array | Int32Array | Uint8Array;
}

const FLOAT_BYTES = 4;

const products = new WeakMap<WasmBackend["wasm"], (...args: unknown[]) => void>();

/** BatchMatMul as the backend's own kernel calls it: ids and shapes of a and b, transposed or not, id of the result. */
function productOf(wasm: WasmBackend["wasm"]): (...args: unknown[]) => void {
  const known = products.get(wasm);
  if (known !== undefined) return known;
  const numbers = "number" as const;
  const takes = [numbers, "array", numbers, numbers, "array", numbers, numbers, numbers, numbers] as const;
  const made = wasm.cwrap("BatchMatMul", null, takes);
  products.set(wasm, made);
  return made;
}

const shapeBytes = (...shape: number[]): Uint8Array => new Uint8Array(new Int32Array(shape).buffer);

/** a[i] · b[i] of [n, rows, inner] and [n, inner, columns]. */
export function multiplyStacks(backend: WasmBackend, a: Info, b: Info): Info {
  const [count = 0, rows = 0, inner = 0] = a.shape;
  const columns = b.shape[2] ?? 0;
  const { wasm } = backend;
  const product = productOf(wasm);
  const out = backend.makeOutput([count, rows, columns], "float32");
  const parts = [
    { offset: backend.dataIdMap.get(a.dataId).memoryOffset, size: rows * inner },
    { offset: backend.dataIdMap.get(b.dataId).memoryOffset, size: inner * columns },
    { offset: backend.dataIdMap.get(out.dataId).memoryOffset, size: rows * columns },
  ];
  const aShape = shapeBytes(1, rows, inner);
  const bShape = shapeBytes(1, inner, columns);
  for (let i = 0; i < count; i++) {
    const ids = parts.map(({ offset, size }) => {
      const id = backend.dataIdNextNumber++;
      wasm.tfjs.registerTensor(id, size, offset + i * size * FLOAT_BYTES);
      return id;
    });
    product(ids[0], aShape, 3, ids[1], bShape, 3, 0, 0, ids[2]);
    // Forgets the tensor, and what XNNPACK prepared for it; the memory belongs to the stack.
    for (const id of ids) wasm.tfjs.disposeData(id);
  }
  return out;
}
