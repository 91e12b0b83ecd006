/**
 * Kernels of our own, registered beside those of a backend where it has none that is exact or fast enough (docs/engines.md
 * has the measurements). Their names begin with `ijepa/`.
 */
import { erf } from "../erf";
import type { BackendName, Core, Info } from "./core";
import { multiplyStacks, type WasmBackend } from "./wasm-products";

/** Rows of a table [rows, width], in the order of an index [count] → [count, width]. `axis` is the int32 scalar 0. */
export const GATHER_ROWS = "ijepa/GatherRows";
/** The error function to float32 accuracy: that of the js backend is good to 1.7e-7 only. */
export const ERF = "ijepa/Erf";
/** a[i] · b[i] of [n, m, k] and [n, k, p], each product by XNNPACK: the wasm backend loops over stacks, ten times slower. */
export const MULTIPLY_STACKS = "ijepa/MultiplyStacks";

interface Call<Backend> {
  readonly inputs: Readonly<Record<string, Info>>;
  readonly backend: Backend;
}

/** What the js backend lets kernels do. */
interface CpuBackend {
  readonly data: { get(dataId: object): { readonly values: Float32Array | Int32Array } };
  makeTensorInfo(shape: readonly number[], dtype: string, values: Float32Array): Info;
}

/** What tfjs-node lets kernels do: any op of TensorFlow by its name. */
interface NodeBackend {
  readonly binding: {
    readonly TF_ATTR_TYPE: number;
    readonly TF_ATTR_INT: number;
    readonly TF_FLOAT: number;
    readonly TF_INT32: number;
  };
  executeSingleOutput(op: string, attrs: readonly object[], inputs: readonly Info[]): Info;
}

function copyRows(table: Float32Array, index: Int32Array, width: number, out: Float32Array): void {
  index.forEach((row, i) => {
    out.set(table.subarray(row * width, (row + 1) * width), i * width);
  });
}

const rowsShape = (table: Info, index: Info): [number, number] => [index.shape[0] ?? 0, table.shape[1] ?? 0];

function inputOf({ inputs }: Call<unknown>, name: string): Info {
  const found = inputs[name];
  if (found === undefined) throw new Error(`internal: a kernel lacks its input ${name}`);
  return found;
}

type KernelFunc<Backend> = (call: Call<Backend>) => Info;

const cpu: Readonly<Record<string, KernelFunc<CpuBackend>>> = {
  [GATHER_ROWS]: (call) => {
    const table = inputOf(call, "table");
    const index = inputOf(call, "index");
    const [count, width] = rowsShape(table, index);
    const out = new Float32Array(count * width);
    const { data } = call.backend;
    // The engine's tensors are float32, its indices int32.
    copyRows(data.get(table.dataId).values as Float32Array, data.get(index.dataId).values as Int32Array, width, out);
    return call.backend.makeTensorInfo([count, width], "float32", out);
  },
  [ERF]: (call) => {
    const x = inputOf(call, "x");
    const values = call.backend.data.get(x.dataId).values as Float32Array;
    return call.backend.makeTensorInfo(x.shape, "float32", values.map(erf));
  },
};

const wasm: Readonly<Record<string, KernelFunc<WasmBackend>>> = {
  [GATHER_ROWS]: (call) => {
    const table = inputOf(call, "table");
    const index = inputOf(call, "index");
    const [count, width] = rowsShape(table, index);
    const { backend } = call;
    const out = backend.makeOutput([count, width], "float32");
    // Views after the allocation: it may have moved the heap.
    const from = backend.typedArrayFromHeap(table) as Float32Array;
    const rows = backend.typedArrayFromHeap(index) as Int32Array;
    copyRows(from, rows, width, backend.typedArrayFromHeap(out) as Float32Array);
    return out;
  },
  [MULTIPLY_STACKS]: (call) => multiplyStacks(call.backend, inputOf(call, "a"), inputOf(call, "b")),
};

const tensorflow: Readonly<Record<string, KernelFunc<NodeBackend>>> = {
  // GatherV2 of tfjs-node downloads the index to look at it, which would wait for the device.
  [GATHER_ROWS]: (call) => {
    const { binding } = call.backend;
    const attrs = [
      { name: "batch_dims", type: binding.TF_ATTR_INT, value: 0 },
      { name: "Tparams", type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
      { name: "Tindices", type: binding.TF_ATTR_TYPE, value: binding.TF_INT32 },
      { name: "Taxis", type: binding.TF_ATTR_TYPE, value: binding.TF_INT32 },
    ];
    const inputs = ["table", "index", "axis"].map((name) => inputOf(call, name));
    return call.backend.executeSingleOutput("GatherV2", attrs, inputs);
  },
};

const registered = new Set<string>();

export function registerOwnKernels(core: Core, backend: BackendName): void {
  if (registered.has(backend)) return;
  registered.add(backend);
  for (const [kernelName, kernelFunc] of Object.entries({ cpu, wasm, tensorflow }[backend])) {
    // tfjs hands a kernel the backend that it is registered for.
    core.registerKernel({ kernelName, backendName: backend, kernelFunc: kernelFunc as never });
  }
}
