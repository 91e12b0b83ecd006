/**
 * A GPU by onnxruntime's WebGPU provider: its memory, copies to and fro, and sessions on it. All of it by the C
 * interface, which gives tensors on the device that a session reads and writes in place; the Node package gives back a
 * new tensor from every run instead, and aborts where one is read.
 */
import { noWebgpu } from "../../../errors";
import { messageOf } from "../../../exceptions";
import { faultOf } from "../../fault";
import { type CApi, loadCApi, type Pointer } from "../c-api";
import { type ElementType, Graph } from "../graph";
import { modelBytes } from "../model";
import { ELEMENT_CODE, type Shared, sharedOf } from "../runtime-c";
import type { HostBuffer, HostTensor } from "../session";
import { type Placement, placementOf } from "./placement";

/** Numbers in the memory of the device. */
export interface DeviceTensor {
  readonly pointer: Pointer;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly bytes: number;
}

export interface DeviceSession {
  readonly placement: Placement;
  /** Inputs are read from, outputs written to this memory by every run until another tensor is bound to the name. */
  bindInput(name: string, tensor: DeviceTensor | HostTensor): void;
  bindOutput(name: string, tensor: DeviceTensor | HostTensor): void;
  run(): Promise<void>;
  release(): void;
}

/** Whoever calls its functions does so inside `exclusively`. */
export interface Device {
  readonly description: string;
  /** Its numbers are whatever was there before. */
  allocate(type: ElementType, shape: readonly number[]): DeviceTensor;
  free(tensor: DeviceTensor): void;
  upload(copies: readonly { readonly from: HostBuffer; readonly to: DeviceTensor }[]): Promise<void>;
  download(from: DeviceTensor, to: Float32Array): Promise<void>;
  createSession(model: Uint8Array): Promise<DeviceSession>;
  /** What has gone over the bus since the device was opened, in bytes. */
  readonly traffic: { readonly toDevice: number; readonly fromDevice: number };
  release(): void;
}

const VERBOSE = 0;
const ERROR = 3;
const NO_OPTIMISATION = 0;
const DEVICE_ALLOCATOR = 0;
const DEFAULT_MEMORY = 0;
const BYTES = { f32: 4, u8: 1, i32: 4, u32: 4, i64: 8 } as const satisfies Record<ElementType, number>;

let lastUse: Promise<unknown> = Promise.resolve();

/** WebGPU's objects belong to the process and are not made for two threads at once: one user at a time. */
export function exclusively<T>(work: () => Promise<T>): Promise<T> {
  const result = lastUse.then(work);
  lastUse = result.catch(() => undefined);
  return result;
}

export interface DeviceOptions {
  /** Writes a trace of every node to files that begin so. */
  readonly profilePrefix?: string;
}

/** Throws UserError R104 where there is no GPU that it can use. */
export async function openDevice({ profilePrefix }: DeviceOptions = {}): Promise<Device> {
  const api = loadApi();
  const shared = sharedOf(api);
  // A session that computes nothing of interest: its allocator is the way to memory on the device.
  const session = await createSession(api, shared, smallestModel());
  const memoryInfo = api.create("CreateMemoryInfo", "WebGPU_Buffer", DEVICE_ALLOCATOR, 0, DEFAULT_MEMORY);
  const allocator = api.create("CreateAllocator", session, memoryInfo);
  api.release("ReleaseMemoryInfo", memoryInfo);
  const traffic = { toDevice: 0, fromDevice: 0 };
  /** Copies between tensors in one call; host memory is held until it returns. */
  const copy = async (from: readonly Pointer[], to: readonly Pointer[]): Promise<void> => {
    if (from.length === 0) return;
    try {
      await api.callAsync("CopyTensors", shared.env, from, to, null, from.length);
    } catch (cause) {
      throw faultOf({ what: "copy to or from the GPU's memory", cause });
    }
  };
  return {
    description: `onnxruntime ${api.version}, WebGPU`,
    traffic,
    allocate: (type, shape) => {
      const bytes = shape.reduce((a, b) => a * b, BYTES[type]);
      try {
        const pointer = api.create("CreateTensorAsOrtValue", allocator, shape, shape.length, ELEMENT_CODE[type]);
        return { pointer, type, shape, bytes };
      } catch (cause) {
        throw faultOf({ what: `take ${bytes} bytes of the GPU's memory`, cause });
      }
    },
    free: ({ pointer }) => api.release("ReleaseValue", pointer),
    upload: async (copies) => {
      const sources = copies.map(({ from, to }) =>
        hostValue(api, shared, { type: to.type, shape: to.shape, data: from }),
      );
      await copy(
        sources,
        copies.map(({ to }) => to.pointer),
      );
      for (const source of sources) api.release("ReleaseValue", source);
      traffic.toDevice += copies.reduce((sum, { to }) => sum + to.bytes, 0);
    },
    download: async (from, to) => {
      const target = hostValue(api, shared, { type: from.type, shape: from.shape, data: to });
      await copy([from.pointer], [target]);
      api.release("ReleaseValue", target);
      traffic.fromDevice += from.bytes;
    },
    createSession: (model) => deviceSession(api, shared, model, { traffic, profilePrefix }),
    release: () => {
      api.release("ReleaseAllocator", allocator);
      api.release("ReleaseSession", session);
    },
  };
}

function loadApi(): CApi {
  let api: CApi;
  try {
    api = loadCApi();
  } catch (cause) {
    // The Node binding can not take its place here.
    const why = messageOf(cause);
    throw noWebgpu({ why: `onnxruntime's C interface does not load through koffi (${why})`, cause });
  }
  if (!api.devices) throw noWebgpu({ why: `onnxruntime ${api.version} is too old for it` });
  return api;
}

function smallestModel(): Uint8Array {
  const graph = new Graph();
  const x = graph.input("x", "f32", [1]);
  const y = graph.one("Neg", [x], [1]);
  return modelBytes({
    name: "smallest",
    nodes: graph.nodes,
    inputs: [{ name: "x", value: x }],
    outputs: [{ name: "y", value: y }],
  });
}

async function createSession(api: CApi, shared: Shared, model: Uint8Array, profilePrefix?: string): Promise<Pointer> {
  const options = optionsFor(api, ERROR);
  if (profilePrefix !== undefined) api.call("EnableProfiling", options, profilePrefix);
  try {
    return await api.createAsync("CreateSessionFromArray", shared.env, model, model.byteLength, options);
  } finally {
    api.release("ReleaseSessionOptions", options);
  }
}

/** The messages that a session logs while it is created. It is released at once: a session that logs everything is slow. */
function logOfCreation(api: CApi, shared: Shared, model: Uint8Array): string[] {
  const messages: string[] = [];
  const options = optionsFor(api, VERBOSE);
  const listener = api.listen(options, (message) => messages.push(message));
  try {
    // Synchronous: the library can call back into this thread alone.
    const session = api.create("CreateSessionFromArray", shared.env, model, model.byteLength, options);
    api.release("ReleaseSession", session);
  } finally {
    api.release("ReleaseSessionOptions", options);
    listener.end();
  }
  return messages;
}

function optionsFor(api: CApi, severity: number): Pointer {
  const options = api.create("CreateSessionOptions");
  api.call("DisableMemPattern", options);
  api.call("SetSessionLogSeverityLevel", options, severity);
  api.call("SetSessionGraphOptimizationLevel", options, NO_OPTIMISATION);
  api.call("SetIntraOpNumThreads", options, 1);
  api.call("SetInterOpNumThreads", options, 1);
  try {
    api.call("SessionOptionsAppendExecutionProvider", options, "WebGPU", [], [], 0);
  } catch (cause) {
    api.release("ReleaseSessionOptions", options);
    throw noWebgpu({ why: reasonOf(cause), cause });
  }
  return options;
}

/** The sentence in a message of onnxruntime, without the place in its sources. */
function reasonOf(cause: unknown): string {
  const text = messageOf(cause);
  return /was false\. (.*)$/s.exec(text)?.[1]?.trim() ?? text;
}

function hostValue({ create }: CApi, { memoryInfo }: Shared, { type, shape, data }: HostTensor): Pointer {
  const code = ELEMENT_CODE[type];
  return create("CreateTensorWithDataAsOrtValue", memoryInfo, data, data.byteLength, shape, shape.length, code);
}

async function deviceSession(
  api: CApi,
  shared: Shared,
  model: Uint8Array,
  { traffic, profilePrefix }: { readonly traffic: { fromDevice: number }; readonly profilePrefix: string | undefined },
): Promise<DeviceSession> {
  const placement = placementOf(logOfCreation(api, shared, model));
  if (placement === null) throw new Error("internal: onnxruntime did not say where it placed the nodes");
  const session = await createSession(api, shared, model, profilePrefix);
  const binding = api.create("CreateIoBinding", session);
  /** What is bound, so that its memory lives on and is not bound twice. */
  const bound = new Map<string, DeviceTensor | HostTensor>();
  const bind = (how: "BindInput" | "BindOutput", name: string, tensor: DeviceTensor | HostTensor): void => {
    if (bound.get(name) === tensor) return;
    if ("pointer" in tensor) {
      api.call(how, binding, name, tensor.pointer);
    } else {
      const value = hostValue(api, shared, tensor);
      // The binding holds the value from here on.
      api.call(how, binding, name, value);
      api.release("ReleaseValue", value);
    }
    bound.set(name, tensor);
  };
  const outputs = new Set<string>();
  return {
    placement,
    bindInput: (name, tensor) => bind("BindInput", name, tensor),
    bindOutput: (name, tensor) => {
      outputs.add(name);
      bind("BindOutput", name, tensor);
    },
    run: async () => {
      await api.callAsync("RunWithBinding", session, null, binding);
      for (const name of outputs) {
        const tensor = bound.get(name);
        if (tensor !== undefined && "data" in tensor) traffic.fromDevice += tensor.data.byteLength;
      }
    },
    release: () => {
      if (profilePrefix !== undefined) {
        api.create("SessionEndProfiling", session, api.create("GetAllocatorWithDefaultOptions"));
      }
      api.release("ReleaseIoBinding", binding);
      api.release("ReleaseSession", session);
      bound.clear();
    },
  };
}
