/** Patch features by the exported graph, on onnxruntime, from a file that is deleted again. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { switchOffTelemetry } from "../../../runtime/engines/onnx/telemetry";
import type { ExportSource } from "../source";
import { OUTPUT } from "./graph";
import { normalized } from "./measure";
import { writeEncoderModel } from "./model";

export interface PatchEncoder {
  /** Images [count, 3, height, width] → every patch after the final norm: [count, patches, width]. */
  patches(images: Uint8Array, count: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Close what it gives. */
export async function openPatchEncoder(source: ExportSource): Promise<PatchEncoder> {
  const { height, width } = source.experiment.image;
  const folder = mkdtempSync(join(tmpdir(), "ijepa-encoder-"));
  const removed = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const path = join(folder, "encoder.onnx");
    await writeEncoderModel(source, { path, precision: "fp32" });
    switchOffTelemetry();
    const { InferenceSession, Tensor } = await import("onnxruntime-node");
    const session = await InferenceSession.create(path);
    return {
      patches: async (images, count) => {
        const values = new Tensor("float32", normalized(images, source.experiment), [count, 3, height, width]);
        const data = (await session.run({ pixel_values: values }))[OUTPUT]?.data;
        if (!(data instanceof Float32Array)) throw new Error("internal: the encoder gave no features");
        return data;
      },
      close: async () => {
        await session.release();
        removed();
      },
    };
  } catch (error) {
    removed();
    throw error;
  }
}
