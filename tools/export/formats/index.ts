/** The total table of formats. */
import type { ExportFormat, FormatName } from "../format";
import { huggingFace } from "./hugging-face";
import { official } from "./official";
import { onnx } from "./onnx";
import { safetensors } from "./safetensors";
import { timm } from "./timm";
import { transformersJs } from "./transformers-js";

export const formats: { readonly [F in FormatName]: ExportFormat } = {
  safetensors,
  official,
  hf: huggingFace,
  timm,
  onnx,
  "transformers.js": transformersJs,
};
