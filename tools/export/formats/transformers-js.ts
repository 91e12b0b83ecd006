/** A folder that transformers.js loads in Node and in browsers. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ExportFormat } from "../format";
import { writeConfigs } from "./hugging-face";
import { suffixes, writeMeasured } from "./onnx";

export const transformersJs: ExportFormat = {
  purpose: "a folder for transformers.js, in Node and in browsers",
  library: "transformers.js",
  objectives: ["ijepa"],
  precisions: ["fp16", "int8"],
  make: async (request) => {
    const { source, folder, out, precision } = request;
    mkdirSync(join(folder, "onnx"));
    const file = `model${suffixes[precision]}.onnx`;
    const { weightsBeside, notes } = await writeMeasured(request, join(folder, "onnx", file));
    const more = weightsBeside ? { "transformers.js_config": { use_external_data_format: { [file]: true } } } : {};
    writeConfigs(folder, source.experiment, more);
    return {
      loading: {
        language: "javascript",
        lines: [
          'import { AutoModel } from "@huggingface/transformers";',
          `const model = await AutoModel.from_pretrained(${JSON.stringify(out)}, { dtype: "${precision}", local_files_only: true });`,
          "const { last_hidden_state: patches } = await model({ pixel_values });",
        ],
      },
      notes,
    };
  },
};
