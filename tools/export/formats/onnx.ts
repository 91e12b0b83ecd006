/** The encoder as an ONNX model: any number of images in, every patch after the final norm out. */
import { join } from "node:path";
import type { ExportFormat, ExportRequest } from "../format";
import { lossOf } from "../onnx/measure";
import { writeEncoderModel } from "../onnx/model";
import type { ExportPrecision } from "../onnx/weights";

/** As transformers.js names them by `dtype`. */
export const suffixes: { readonly [P in ExportPrecision]: string } = { fp32: "", fp16: "_fp16", int8: "_int8" };

/** Writes the model, and says what a smaller precision lost. */
export async function writeMeasured(
  request: ExportRequest,
  path: string,
): Promise<{ readonly weightsBeside: boolean; readonly notes: readonly string[] }> {
  const { source, precision } = request;
  const written = await writeEncoderModel(source, { path, precision });
  return { ...written, notes: precision === "fp32" ? [] : [await lossOf(request, path)] };
}

export const onnx: ExportFormat = {
  purpose: "an ONNX model of the encoder for any runtime",
  library: "onnx",
  objectives: ["ijepa", "mae", "simmim", "data2vec"],
  precisions: ["fp16", "int8"],
  make: async (request) => {
    const file = `model${suffixes[request.precision]}.onnx`;
    const { notes } = await writeMeasured(request, join(request.folder, file));
    const { mean, std, height, width } = request.source.experiment.image;
    return {
      loading: {
        language: "python",
        lines: [
          "import onnxruntime",
          `session = onnxruntime.InferenceSession(${JSON.stringify(`${request.out}/${file}`)})`,
          '[patches] = session.run(["last_hidden_state"], {"pixel_values": pixel_values})',
        ],
      },
      notes: [
        `pixel_values is float32 [batch, 3, ${height}, ${width}]: red, green and blue of 0 … 1, less ` +
          `[${mean.join(", ")}], divided by [${std.join(", ")}]. The number of images is free.`,
        ...notes,
      ],
    };
  },
};
