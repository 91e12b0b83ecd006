/** The encoder alone as safetensors, under the names of the official state dict without a prefix (reference.md §3). */
import { join } from "node:path";
import { writeSafetensors } from "../../../runtime/checkpoint/safetensors";
import { type ExportFormat, provenance, toWrite } from "../format";

const file = "encoder.safetensors";

export const safetensors: ExportFormat = {
  purpose: "the encoder alone, under the official names",
  library: null,
  objectives: ["ijepa", "mae", "simmim", "data2vec"],
  precisions: [],
  make: async ({ source, folder, out }) => {
    const content = { metadata: provenance(source), tensors: toWrite(source.encoder) };
    await writeSafetensors(join(folder, file), content);
    return {
      loading: {
        language: "python",
        lines: [
          "from safetensors.torch import load_file",
          `weights = load_file(${JSON.stringify(`${out}/${file}`)})`,
          'print(weights["patch_embed.proj.weight"].shape, len(weights))',
        ],
      },
      notes: ["Linear weights are [out, in], the patch embedding is [width, 3, patch, patch], as in PyTorch."],
    };
  },
};
