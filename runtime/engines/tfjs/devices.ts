/** Opens a backend of tfjs for a device. Nothing of the others is loaded. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { engineFailed } from "../../errors";
import type { DeviceName } from "../engine";
import { requireExternal, resolveExternal } from "../external";
import type { BackendName, Core } from "./core";
import { supplyRemovedUtil } from "./node-shim";
import { registerOwnKernels } from "./own-kernels";
import { startWithThreads, type WasmPackage } from "./wasm-threads";

export interface OpenDevice {
  readonly core: Core;
  readonly backend: BackendName;
  /** What runs, e.g. "wasm (SIMD, 2 threads)". */
  readonly description: string;
}

/** Threads for each kind of backend that has a pool of its own. */
export interface Threads {
  readonly native: number;
  readonly wasm: number;
}

type Open = (threads: Threads) => Promise<OpenDevice>;

const NODE = "@tensorflow/tfjs-node";
const NODE_GPU = "@tensorflow/tfjs-node-gpu";
const CORE = "@tensorflow/tfjs-core";
const WASM = "@tensorflow/tfjs-backend-wasm";
const CPU = "@tensorflow/tfjs-backend-cpu";

const devices: { readonly [D in DeviceName]: Open | null } = {
  gpu: () => openNode(NODE_GPU, 0),
  cpu: (threads) =>
    resolveExternal(`${NODE}/package.json`) === undefined ? openWasm(threads) : openNode(NODE, threads.native),
  wasm: openWasm,
  js: async () => {
    const core = coreBeside(CPU);
    requireExternal(CPU);
    await start(core, "cpu");
    // It would print an advertisement for tfjs-node at its first tensor.
    Object.assign(core.engine().backend, { firstUse: false });
    return { core, backend: "cpu", description: "JavaScript" };
  },
  tpu: null,
  webgpu: null,
};

/** Throws UserError R101 to R103 where a package is missing or does not work. */
export async function openDevice(device: DeviceName, threads: Threads): Promise<OpenDevice> {
  const open = devices[device];
  if (open === null) throw new Error(`internal: tfjs has no device ${device}`);
  return await open(threads);
}

/** tfjs-core as the package of a backend sees it: a second copy would know nothing of the backend. */
function coreBeside(backend: string): Core {
  const path = resolveExternal(backend);
  if (path === undefined) requireExternal(backend);
  // The types of tfjs-core are those of the version that is looked for.
  const core = path === undefined ? requireExternal(CORE) : createRequire(path)(CORE);
  return core as Core;
}

async function start(core: Core, backend: BackendName): Promise<void> {
  core.enableProdMode();
  const isReady = await core.engine().setBackend(backend);
  if (!isReady) throw engineFailed({ what: `start the backend ${backend} of tfjs`, why: "it did not initialize" });
  registerOwnKernels(core, backend);
}

async function openWasm({ wasm: threads }: Threads): Promise<OpenDevice> {
  const core = coreBeside(WASM);
  const wasm = requireExternal(WASM) as WasmPackage;
  const folder = dirname(resolveExternal(`${WASM}/package.json`) ?? "");
  wasm.setWasmPaths(join(folder, "dist", "/"));
  const used = await withoutListeners(() =>
    startWithThreads({ core, wasm, folder, threads, start: () => start(core, "wasm") }),
  );
  guardMemory(core);
  const simd = (await core.env().getAsync("WASM_HAS_SIMD_SUPPORT")) === true ? "SIMD" : "no SIMD";
  return { core, backend: "wasm", description: `wasm (${simd}, ${used} thread${used === 1 ? "" : "s"})` };
}

/**
 * The backend writes wherever its allocator says, which is 0 where there is no more memory, and of a size it takes 32 bits: a
 * tensor that does not fit would lie over others.
 */
function guardMemory(core: Core): void {
  // The backend of wasm keeps its module so; the type is that of any backend.
  const { wasm } = core.engine().backend as unknown as { readonly wasm: { _malloc: (bytes: number) => number } };
  // The first call puts the function itself in the place of a stub.
  wasm._malloc(1);
  const allocate = wasm._malloc;
  wasm._malloc = (bytes) => {
    const place = bytes < 2 ** 32 ? allocate(bytes) : 0;
    if (place === 0 && bytes > 0) throw new Error(`WebAssembly could not allocate memory: ${bytes} bytes`);
    return place;
  };
}

/**
 * Emscripten listens for uncaught errors of the whole process, to throw them again: a user would see its code, one line of
 * 100 kB, in the place of the message.
 */
async function withoutListeners<T>(work: () => Promise<T>): Promise<T> {
  const thrown = new Set(process.listeners("uncaughtException"));
  const rejected = new Set(process.listeners("unhandledRejection"));
  try {
    return await work();
  } finally {
    for (const listener of process.listeners("uncaughtException")) {
      if (!thrown.has(listener)) process.off("uncaughtException", listener);
    }
    for (const listener of process.listeners("unhandledRejection")) {
      if (!rejected.has(listener)) process.off("unhandledRejection", listener);
    }
  }
}

async function openNode(name: typeof NODE | typeof NODE_GPU, threads: number): Promise<OpenDevice> {
  supplyRemovedUtil();
  // Read by TensorFlow when it is loaded; what the user set comes first.
  if (threads > 0) process.env.TF_NUM_INTRAOP_THREADS ??= String(threads);
  // Products of float32 numbers in float32: TensorFlow would round their factors to 10 bits on newer cards.
  process.env.NVIDIA_TF32_OVERRIDE ??= "0";
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "1";
  const core = requireExternal(name) as Core & { readonly version: { readonly tensorflow?: unknown } };
  await start(core, "tensorflow");
  // tfjs-node-gpu runs on the CPU where it finds no card. Its backend knows; the type is that of any backend.
  const backend = core.engine().backend as unknown as {
    readonly isUsingGpuDevice?: boolean;
    readonly binding?: { readonly TF_Version?: string };
  };
  if (name === NODE_GPU && backend.isUsingGpuDevice !== true) {
    throw engineFailed({ what: "use the GPU", why: "TensorFlow found none that its CUDA libraries can use" });
  }
  const version = backend.binding?.TF_Version ?? "?";
  return { core, backend: "tensorflow", description: `TensorFlow ${version}, ${name === NODE_GPU ? "GPU" : "CPU"}` };
}
