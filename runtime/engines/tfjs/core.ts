/** The parts of @tensorflow/tfjs-core that the engine uses; tfjs-node(-gpu) exports the same. Types only: see packages.ts. */
import type * as TfjsCore from "@tensorflow/tfjs-core";

export type Core = Pick<typeof TfjsCore, "engine" | "env" | "enableProdMode" | "registerKernel" | "version_core">;
/** Names of tfjs: cpu is plain JavaScript, tensorflow is tfjs-node and tfjs-node-gpu. */
export type BackendName = "tensorflow" | "wasm" | "cpu";
export type Tensor = TfjsCore.Tensor;
/** A tensor as kernels see it. */
export type Info = Pick<Tensor, "dataId" | "shape" | "dtype">;
export type KernelInputs = Readonly<Record<string, Tensor>>;

/** A value that an attribute of a tfjs kernel takes. */
export type KernelAttr = number | boolean | string | readonly number[] | readonly (readonly number[])[];
export type KernelAttrs = Readonly<Record<string, KernelAttr>>;
