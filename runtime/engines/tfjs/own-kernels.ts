/**
 * Kernels of our own, registered beside those of a backend where it has none that is exact or fast enough (docs/engines.md
 * has the measurements). Their names begin with `ijepa/`.
 */
import { erf } from "../erf";
import type { BackendName, Core, Info, KernelAttrs } from "./core";
import { adamwInto, copyPart, emaInto } from "./host-loops";
import { multiplyStacks, type WasmBackend } from "./wasm-products";

/** table [rows, width], index [count] → the rows of the index [count, width]. `axis` is the int32 scalar 0. */
export const GATHER_ROWS = "ijepa/GatherRows";
/** The error function to float32 accuracy: that of the js backend is good to 1.7e-7 only. */
export const ERF = "ijepa/Erf";
/** x, attributes begin and size → that part of x. The js backend computes the place of every element on its own. */
export const SLICE = "ijepa/Slice";
/** a[i] · b[i] of [n, m, k] and [n, k, p], each product by XNNPACK: the wasm backend loops over stacks. */
export const MULTIPLY_STACKS = "ijepa/MultiplyStacks";
/** The update in one pass: fourteen kernels cost more to call than to compute where weights are small. */
export const ADAMW = "ijepa/Adamw";
export const EMA = "ijepa/Ema";

interface Call<Backend> {
  readonly inputs: Readonly<Record<string, Info>>;
  readonly attrs: KernelAttrs;
  readonly backend: Backend;
}

type Kernel<Backend> = (call: Call<Backend>) => Info | readonly Info[];
type KernelsOf<Backend> = Readonly<Record<string, Kernel<Backend>>>;

function inputOf({ inputs }: Pick<Call<unknown>, "inputs">, name: string): Info {
  const found = inputs[name];
  if (found === undefined) throw new Error(`internal: a kernel lacks its input ${name}`);
  return found;
}

const numberOf = (attrs: KernelAttrs, name: string): number => Number(attrs[name]);

// ── Backends whose memory JavaScript can reach ──────────────────────────────────────────────────────────────────────

/** Makes tensors first and looks at memory then: making one may move the memory of the others. */
interface HostMemory {
  make(shape: readonly number[]): Info;
  floats(tensor: Info): Float32Array;
  ints(tensor: Info): Int32Array;
}

/** What the js backend lets kernels do. */
interface CpuBackend {
  readonly data: { get(dataId: object): { readonly values: unknown } };
  makeTensorInfo(shape: readonly number[], dtype: string, values: Float32Array): Info;
}

// The engine's tensors are float32 or int32, and each kernel knows which.
const cpuMemory = (backend: CpuBackend): HostMemory => ({
  make: (shape) => backend.makeTensorInfo(shape, "float32", new Float32Array(shape.reduce((a, b) => a * b, 1))),
  floats: ({ dataId }) => backend.data.get(dataId).values as Float32Array,
  ints: ({ dataId }) => backend.data.get(dataId).values as Int32Array,
});

const wasmMemory = (backend: WasmBackend): HostMemory => ({
  make: (shape) => backend.makeOutput(shape, "float32"),
  floats: (tensor) => backend.typedArrayFromHeap(tensor) as Float32Array,
  ints: (tensor) => backend.typedArrayFromHeap(tensor) as Int32Array,
});

type HostKernel = (memory: HostMemory, call: Pick<Call<unknown>, "inputs" | "attrs">) => Info | readonly Info[];

const gatherRows: HostKernel = (memory, call) => {
  const table = inputOf(call, "table");
  const index = inputOf(call, "index");
  const width = table.shape[1] ?? 0;
  const made = memory.make([index.shape[0] ?? 0, width]);
  const from = memory.floats(table);
  const to = memory.floats(made);
  memory.ints(index).forEach((row, i) => {
    to.set(from.subarray(row * width, (row + 1) * width), i * width);
  });
  return made;
};

const adamw: HostKernel = (memory, call) => {
  const { attrs } = call;
  const tensors = ["weight", "gradient", "m", "v"].map((name) => inputOf(call, name));
  const { shape = [] } = tensors[0] ?? {};
  const made = [memory.make(shape), memory.make(shape), memory.make(shape)];
  const [weight, gradient, m, v, nextWeight, nextM, nextV] = [...tensors, ...made].map(memory.floats);
  if (!weight || !gradient || !m || !v || !nextWeight || !nextM || !nextV) throw new Error("internal: adamw");
  const scalar = (name: string): number => memory.floats(inputOf(call, name))[0] ?? Number.NaN;
  adamwInto(
    { weight, gradient, m, v, nextWeight, nextM, nextV },
    {
      beta1: numberOf(attrs, "beta1"),
      beta2: numberOf(attrs, "beta2"),
      eps: numberOf(attrs, "eps"),
      stepSize: scalar("stepSize"),
      secondMoment: scalar("secondMoment"),
      decayFactor: attrs.decay === true ? scalar("decayFactor") : 1,
    },
  );
  return made;
};

const ema: HostKernel = (memory, call) => {
  const target = inputOf(call, "target");
  const made = memory.make(target.shape);
  const [keep = 0, take = 0] = ["keep", "take"].map((name) => memory.floats(inputOf(call, name))[0]);
  emaInto(memory.floats(target), memory.floats(inputOf(call, "weight")), memory.floats(made), keep, take);
  return made;
};

const exactErf: HostKernel = (memory, call) => {
  const x = inputOf(call, "x");
  const made = memory.make(x.shape);
  const to = memory.floats(made);
  memory.floats(x).forEach((value, i) => {
    to[i] = erf(value);
  });
  return made;
};

const slice: HostKernel = (memory, call) => {
  const x = inputOf(call, "x");
  const begin = call.attrs.begin as readonly number[];
  const size = call.attrs.size as readonly number[];
  const made = memory.make(size);
  copyPart(memory.floats(x), x.shape, begin, size, memory.floats(made));
  return made;
};

const onBoth = { [GATHER_ROWS]: gatherRows, [ADAMW]: adamw, [EMA]: ema };

function hosted<Backend>(
  kernels: Readonly<Record<string, HostKernel>>,
  memoryOf: (backend: Backend) => HostMemory,
): KernelsOf<Backend> {
  return Object.fromEntries(
    Object.entries(kernels).map(([name, kernel]): [string, Kernel<Backend>] => [
      name,
      (call) => kernel(memoryOf(call.backend), call),
    ]),
  );
}

const cpu = hosted({ ...onBoth, [ERF]: exactErf, [SLICE]: slice }, cpuMemory);

const wasm: KernelsOf<WasmBackend> = {
  ...hosted(onBoth, wasmMemory),
  [MULTIPLY_STACKS]: (call) => multiplyStacks(call.backend, inputOf(call, "a"), inputOf(call, "b")),
};

// ── TensorFlow ──────────────────────────────────────────────────────────────────────────────────────────────────────

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

const tensorflow: KernelsOf<NodeBackend> = {
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
