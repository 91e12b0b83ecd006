/**
 * Threads of the wasm backend in Node. The package has a build with threads and Emscripten's code for the workers of Node,
 * but joins them only in browsers: it hands the worker's code on as a blob, which Node's workers cannot open, and says
 * that Node has no threads (tensorflow/tfjs#3830). While the backend starts, a Worker stands in that is given the same
 * code as text. Where the package is laid out otherwise the backend runs on one thread, and the description says so.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Core } from "./core";

/** What @tensorflow/tfjs-backend-wasm exports, as far as it is used. */
export interface WasmPackage {
  setWasmPaths(folder: string): void;
  setThreadsCount(threads: number): void;
  getThreadsCount(): number;
}

export interface ThreadedStart {
  readonly core: Core;
  readonly wasm: WasmPackage;
  /** Of the package. */
  readonly folder: string;
  readonly threads: number;
  /** Starts the backend. */
  readonly start: () => Promise<void>;
}

const FLAG = "WASM_HAS_MULTITHREAD_SUPPORT";

/** Starts the backend with up to so many threads (XNNPACK takes at most 4); gives how many there are. */
export async function startWithThreads({ core, wasm, folder, threads, start }: ThreadedStart): Promise<number> {
  const code = threads > 1 ? workerCode(folder) : null;
  if (code === null || core.engine().registry.wasm !== undefined) {
    await start();
    return wasm.getThreadsCount();
  }
  const restore = standIn(code, join(folder, "wasm-out", "tfjs-backend-wasm-threaded-simd.js"), threads);
  try {
    core.env().set(FLAG, true);
    wasm.setThreadsCount(threads);
    await start();
  } catch {
    core.env().set(FLAG, false);
    await start();
  } finally {
    restore();
  }
  return wasm.getThreadsCount();
}

/** The program of a worker thread; null where the package has none. */
function workerCode(folder: string): string | null {
  const file = join(folder, "wasm-out", "tfjs-backend-wasm-threaded-simd.worker.js");
  if (!existsSync(file)) return null;
  const { wasmWorkerContents: code }: { readonly wasmWorkerContents?: unknown } = createRequire(file)(file);
  // The package itself puts these backslashes back: its text has line ends inside of strings.
  return typeof code === "string" ? code.replaceAll("\n", "\\n") : null;
}

/** Puts a Worker in place that Emscripten's code can start; gives what puts the old one back. */
function standIn(code: string, script: string, threads: number): () => void {
  class WasmWorker extends Worker {
    constructor() {
      // Flags of this process may say that evaluated code is a module; this one is a script.
      super(code, { eval: true, execArgv: [] });
      // What waits for work must not keep the process from ending.
      super.unref();
    }
    override ref(): void {}
    override postMessage(message: unknown, transfer?: Parameters<Worker["postMessage"]>[1]): void {
      const isLoad = typeof message === "object" && message !== null && "cmd" in message && message.cmd === "load";
      // Emscripten hands its own code on as a blob; its worker in Node reads a file.
      super.postMessage(isLoad ? { ...message, urlOrBlob: script } : message, transfer);
    }
  }
  const worker = Object.getOwnPropertyDescriptor(globalThis, "Worker");
  // Emscripten sets it to Node's Worker when it starts.
  Object.defineProperty(globalThis, "Worker", { configurable: true, get: () => WasmWorker, set: () => undefined });
  // XNNPACK takes half of the cores that it is told of: two threads of a core share its units for arithmetic.
  const cpus = os.cpus;
  os.cpus = () => Array.from({ length: 2 * threads }, () => cpus()[0]).flatMap((cpu) => cpu ?? []);
  return () => {
    os.cpus = cpus;
    if (worker === undefined) Reflect.deleteProperty(globalThis, "Worker");
    else Object.defineProperty(globalThis, "Worker", worker);
  };
}
