/** What an engine is: it holds the state of a run (weights, moments, targets) and runs generated functions over it. */
import type { AnyTensor, HostFormat, Ops } from "../ops/ops";
import type { Tree } from "../ops/tree";
import type { Communicator } from "../ranks/communicator";

export type EngineName = "onnx" | "tfjs" | "xla";

/** With the float64 interpreter, which no spec names: it is the measure of the others. */
export type AnyEngineName = EngineName | "reference";

/**
 * gpu: the engine's own build for CUDA, or for ROCm. tpu: Google's. webgpu: any GPU, through WebGPU. cpu: native code.
 * wasm, js: no native code.
 */
export type DeviceName = "cpu" | "gpu" | "tpu" | "webgpu" | "wasm" | "js";

/** Of the numbers that the step computes with; weights, moments and what comes out are float32 always. */
export type Precision = "fp32" | "bf16" | "fp16";

/** Numbers on the host, in C order. */
export type HostArray = Float32Array | Int32Array | Uint8Array;

export interface TensorSpec {
  readonly dtype: HostFormat;
  /** Sizes; a name stands for a length that differs from program to program, e.g. ["C"]. */
  readonly shape: readonly (number | string)[];
  /** Of an input: every call gives the same array with the same numbers, so that an engine may copy it only once. */
  readonly constant?: true;
}

/** Paths (`encoder.blocks.0.attn.qkv.weight`) to tensors. Insertion order is meaningful: it is the order of leaves. */
export type TensorSpecs = ReadonlyMap<string, TensorSpec>;

/** Values of the lengths, and the share of calls that give them. */
export interface ExpectedLengths {
  readonly lengths: Readonly<Record<string, number>>;
  readonly probability: number;
}

/** A generated function: from trees of tensors to a tree of tensors. Both trees are given by the paths of their leaves. */
export interface EngineFunction {
  readonly name: string;
  /** The paths of `state` (in the store) that it reads. */
  readonly reads: readonly string[];
  /** What it is given at every call. */
  readonly inputs: TensorSpecs;
  /** Lengths by name, e.g. ["C", "T", "S", "U"]; a call gives their values. */
  readonly lengths: readonly string[];
  /** The lengths that calls will give, where they are known beforehand: an engine may make each ready in advance. */
  readonly programs?: readonly ExpectedLengths[];
  /**
   * The generated code. `state` and `inputs` are trees of handles laid out by the paths above; `lengths` maps each name
   * to a number (negative where the engine records the function once for all lengths). `state` in the result holds
   * the tensors that replace those of the store, at the same paths; `outputs` is what a call returns.
   */
  run(
    ops: Ops,
    state: Tree<AnyTensor>,
    inputs: Tree<AnyTensor>,
    lengths: Readonly<Record<string, number>>,
  ): { readonly state: object; readonly outputs: object };
}

/** What one device is given at a call, by path. */
export type Inputs = ReadonlyMap<string, HostArray>;

/** What it gives. */
export type Outputs = ReadonlyMap<string, HostArray>;

export interface LoadedFunction {
  /**
   * Runs once: reads the store, replaces its new values, returns the outputs. Where the engine holds several devices, all of
   * them are given the same, and the outputs are those of the first.
   */
  run(inputs: Inputs, lengths: Readonly<Record<string, number>>): Promise<Outputs>;
  /**
   * The same for engines that can have several calls under way, or that hold several devices: each is given inputs of its
   * own. Resolves as soon as the inputs may be changed, with the outputs of each device to come. Calls run in their order,
   * and what reads the store comes after them.
   */
  queue?(
    shares: readonly Inputs[],
    lengths: Readonly<Record<string, number>>,
  ): Promise<{ readonly outputs: Promise<readonly Outputs[]> }>;
  release(): Promise<void>;
}

/** The tensors that live in the engine's memory between calls. */
export interface StateStore {
  readonly specs: TensorSpecs;
  /** A copy on the host, in C order. */
  read(path: string): Promise<Float32Array>;
  write(path: string, values: Float32Array): Promise<void>;
}

/** What an engine has to know of the processes that share a batch with it. */
export type Reducer = Pick<Communicator, "rank" | "size" | "allReduceMean" | "allGatherBlocks" | "broadcast">;

export interface EngineOptions {
  /** Threads of the engine's own pool, where it has one. */
  readonly threads: number;
  /** Left out: cpu. */
  readonly device?: DeviceName;
  /** Left out: fp32. */
  readonly precision?: Precision;
  /** The other processes, which allReduce meets; left out: there are none. */
  readonly reducer?: Reducer;
  /** Devices that this process is to hold, where an engine can hold several; left out: one. */
  readonly devices?: number;
  /** This process among those of its host, from 0: processes of one host share its devices out. */
  readonly localRank?: number;
  /** Gradients are reduced in buckets of so many bytes; left out, the engine chooses. */
  readonly reduceBucketBytes?: number;
  /** Called once per function with a line for the user on how it runs, e.g. how much of it a GPU computes. */
  readonly note?: (line: string) => void;
  /** Is told what the engine is busy with while somebody may be waiting, e.g. compiling. */
  readonly progress?: (line: string) => void;
  /** The plugin of engine xla; left out, it is looked for. */
  readonly pjrtPlugin?: string;
}

/** Throws a UserError R10x where its package or its device is missing. */
export type CreateEngine = (options: EngineOptions) => Promise<Engine>;

/** What the file of an engine exports. */
export interface EngineModule {
  readonly createEngine: CreateEngine;
  /** Variables that have to be in the environment when the process starts; those that are set already stay. */
  readonly startVariables?: (options: Pick<EngineOptions, "device">) => Readonly<Record<string, string>>;
  /** What a thread runs that the engine has started: the bundle is its file. */
  readonly runThread?: (data: unknown) => void;
  /** One process may hold several of the devices that share a batch; left out: each has a process of its own. */
  readonly holdsManyDevices?: true;
  /** Gradients of several processes meet inside the engine on such a device; left out, or no: they meet through MPI. */
  readonly reducesAmongProcesses?: (device: DeviceName) => boolean;
}

/** In bytes. */
export interface DeviceMemory {
  readonly inUse: number;
  readonly peak: number | null;
  readonly limit: number | null;
}

export interface Engine {
  readonly name: AnyEngineName;
  /** One line for the log, e.g. "onnxruntime-node 1.30.0, CPU, 2 threads". */
  readonly description: string;
  /** Devices that it holds, each with a share of the batch and with all of the state; left out: one. */
  readonly devices?: number;
  createStore(specs: TensorSpecs): StateStore;
  load(fn: EngineFunction, store: StateStore): Promise<LoadedFunction>;
  /** Of the device, where it has its own and says how much of it is used; otherwise null, or no such method. */
  deviceMemory?(): DeviceMemory | null;
  release(): Promise<void>;
}
