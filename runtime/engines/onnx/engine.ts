/** The default engine: records each generated function as one ONNX graph and runs it with onnxruntime. */
import { aloneCommunicator } from "../../ranks/alone";
import type { Engine, EngineOptions } from "../engine";
import { LoadedFunctions } from "../loaded-functions";
import { needsOneDevice } from "../one-device";
import { loadFunction } from "./load-function";
import { bindingRuntime } from "./runtime-binding";
import { cRuntime } from "./runtime-c";
import type { Runtime } from "./session";
import { OnnxStore } from "./store";
import { createWebgpuEngine } from "./webgpu/engine";

export interface OnnxEngineOptions extends EngineOptions {
  /** "c" needs koffi, "binding" only onnxruntime-node; left out, the first that loads. */
  readonly runtime?: "c" | "binding";
  /** Writes a trace of every node, for measurements. */
  readonly profilePrefix?: string;
}

export async function createEngine(options: OnnxEngineOptions): Promise<Engine> {
  if (options.device === "webgpu") {
    needsOneDevice("onnx on webgpu", options.reducer);
    return createWebgpuEngine(options);
  }
  const runtime = chooseRuntime(options.runtime);
  const {
    threads,
    profilePrefix,
    reducer = aloneCommunicator(),
    reduceBucketBytes: bucketBytes = 25 * 2 ** 20,
  } = options;
  const settings = { threads, ...(profilePrefix === undefined ? {} : { profilePrefix }) };
  const loaded = new LoadedFunctions();
  return {
    name: "onnx",
    description: `${runtime.description}, CPU, ${threads} thread${threads === 1 ? "" : "s"}`,
    createStore: (specs) => new OnnxStore(specs),
    load: async (fn, store) => {
      if (!(store instanceof OnnxStore)) throw new Error("internal: the store belongs to another engine");
      return loaded.add(await loadFunction(runtime, fn, store, { settings, reducer, bucketBytes }));
    },
    release: () => loaded.release(),
  };
}

function chooseRuntime(wanted: "c" | "binding" | undefined): Runtime {
  if (wanted === "binding") return bindingRuntime();
  if (wanted === "c") return cRuntime();
  try {
    return cRuntime();
  } catch {
    // No koffi for this system, or an onnxruntime that it cannot reach: the Node binding does the same, slower.
    return bindingRuntime();
  }
}
