/** The total tables: how every op becomes ONNX nodes, on every device that onnxruntime computes on. */
import { noBfloat16 } from "../../no-bfloat16";
import type { KernelTable } from "../../table";
import type { Value } from "../graph";
import type { Handle, Recorder } from "../recorder";
import { attentionLowerings, plainProducts } from "./attention";
import { elementwiseLowerings, signsByClipping } from "./elementwise";
import { layerLowerings, standardLayers } from "./layers";
import { tokenLowerings } from "./tokens";
import { updateLowerings } from "./update";
import { wordsNormalized } from "./words";

/**
 * What a recorded graph is for: providers differ in the ops that they have, and in those that are right. `interchange` is a file
 * for other programs: ops of the ONNX standard alone, for inference.
 */
export type Target = "cpu" | "webgpu" | "interchange";

/**
 * Into how many parts one Split can cut. WebGPU promises eight buffers to a shader, and the tensor that is cut is one of
 * them; onnxruntime does not divide the work itself.
 */
export const mostParts: { readonly [T in Target]: number } = {
  cpu: Number.POSITIVE_INFINITY,
  webgpu: 7,
  interchange: Number.POSITIVE_INFINITY,
};

/** Whether a graph may be given bytes. WebGPU's smallest number is a word: there, four bytes are one. */
export const hasBytes: { readonly [T in Target]: boolean } = { cpu: true, webgpu: false, interchange: false };

const cpu: KernelTable<Recorder, Handle, Value> = {
  ...tokenLowerings,
  ...layerLowerings,
  ...attentionLowerings,
  ...elementwiseLowerings,
  ...updateLowerings,
  ...noBfloat16,
};

export const lowerings: { readonly [T in Target]: KernelTable<Recorder, Handle, Value> } = {
  cpu,
  webgpu: {
    ...cpu,
    // Its FusedMatMul is not there for products of heads.
    ...plainProducts,
    ...signsByClipping,
    normalizePixels: wordsNormalized,
    // The mean over one device (engine.ts).
    allReduce: (_, [x]) => x.value,
  },
  interchange: { ...cpu, ...plainProducts, ...standardLayers },
};
