/** What an engine is: it holds the state of a run (weights, moments, targets) and runs generated functions over it. */
import type { AnyTensor, Dtype, Ops } from "../ops/ops";
import type { Tree } from "../ops/tree";
import type { Communicator } from "../ranks/communicator";

export type EngineName = "onnx" | "tfjs";

/** gpu: the engine's own CUDA build. webgpu: any GPU, through WebGPU. cpu: native code. wasm, js: no native code. */
export type DeviceName = "cpu" | "gpu" | "webgpu" | "wasm" | "js";

/** Of the numbers that the step computes with; weights, moments and what comes out are float32 always. */
export type Precision = "fp32" | "fp16";

/** Numbers on the host, in C order. */
export type HostArray = Float32Array | Int32Array;

export interface TensorSpec {
  readonly dtype: Dtype;
  /** Sizes; a name stands for a length that differs from program to program, e.g. ["C"]. */
  readonly shape: readonly (number | string)[];
  /** Of an input: every call gives the same array with the same numbers, so that an engine may copy it only once. */
  readonly constant?: true;
}

/** Paths (`encoder.blocks.0.attn.qkv.weight`) to tensors. Insertion order is meaningful: it is the order of leaves. */
export type TensorSpecs = ReadonlyMap<string, TensorSpec>;

/** A generated function: from trees of tensors to a tree of tensors. Both trees are given by the paths of their leaves. */
export interface EngineFunction {
  readonly name: string;
  /** The paths of `state` (in the store) that it reads. */
  readonly reads: readonly string[];
  /** What it is given at every call. */
  readonly inputs: TensorSpecs;
  /** Lengths by name, e.g. ["C", "T", "S", "U"]; a call gives their values. */
  readonly lengths: readonly string[];
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

export interface LoadedFunction {
  /** Runs once: reads the store, replaces its new values, returns the outputs by path. */
  run(
    inputs: ReadonlyMap<string, HostArray>,
    lengths: Readonly<Record<string, number>>,
  ): Promise<ReadonlyMap<string, HostArray>>;
  release(): Promise<void>;
}

/** The tensors that live in the engine's memory between calls. */
export interface StateStore {
  readonly specs: TensorSpecs;
  /** A copy on the host, in C order. */
  read(path: string): Promise<Float32Array>;
  write(path: string, values: Float32Array): Promise<void>;
}

/** What an engine has to know of the devices that share a batch with it. */
export type Reducer = Pick<Communicator, "size" | "allReduceMean">;

export interface EngineOptions {
  /** Threads of the engine's own pool, where it has one. */
  readonly threads: number;
  /** Left out: cpu. */
  readonly device?: DeviceName;
  /** Left out: fp32. */
  readonly precision?: Precision;
  /** The other devices, which allReduce meets; left out: there are none. */
  readonly reducer?: Reducer;
  /** Is told, once, what a user may want to know of how a function runs, e.g. how much of it a GPU computes. */
  readonly note?: (line: string) => void;
}

/** What the module of every engine exports. Throws a UserError R10x where its package or its device is missing. */
export type CreateEngine = (options: EngineOptions) => Promise<Engine>;

export interface Engine {
  readonly name: EngineName | "reference";
  /** One line for the log, e.g. "onnxruntime-node 1.30.0, CPU, 2 threads". */
  readonly description: string;
  createStore(specs: TensorSpecs): StateStore;
  load(fn: EngineFunction, store: StateStore): Promise<LoadedFunction>;
  release(): Promise<void>;
}
