/** What the engine needs of onnxruntime, small enough for two ways to reach it: its C interface and its Node binding. */
import type { ElementType } from "./graph";

export type HostBuffer = Float32Array | Int32Array | Uint32Array | Uint8Array | BigInt64Array;

/** Memory with a shape. The session keeps using the memory, so its owner must not detach it. */
export interface HostTensor {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data: HostBuffer;
}

export interface Session {
  /** Inputs are read from, outputs written to this memory by every run until another tensor is bound to the name. */
  bindInput(name: string, tensor: HostTensor): void;
  bindOutput(name: string, tensor: HostTensor): void;
  /** Runs once. The event loop stays free where the binding allows it. */
  run(): Promise<void>;
  release(): Promise<void>;
}

export interface SessionSettings {
  readonly threads: number;
  /** Writes a trace of every node to files that begin so. */
  readonly profilePrefix?: string;
}

/** A way to reach onnxruntime. */
export interface Runtime {
  /** e.g. "onnxruntime 1.30.0 by its C interface". */
  readonly description: string;
  createSession(model: Uint8Array, settings: SessionSettings): Promise<Session>;
}
