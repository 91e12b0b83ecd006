/** An encoder that runs: the exported graph with pooled outputs, on onnxruntime, from a file that is deleted again. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { switchOffTelemetry } from "../../../runtime/engines/onnx/telemetry";
import type { Experiment } from "../../../runtime/experiment";
import type { ExportSource } from "../source";
import { hasClassToken, OUTPUT, pooledOutput } from "./graph";
import { normalized } from "./measure";
import { writeEncoderModel } from "./model";

/** The last layers of the published probe (evaluation's protocol); a shallower encoder has fewer. */
export const probedLayers = ({ encoder }: Pick<Experiment, "encoder">): number => Math.min(4, encoder.depth);

export interface EncoderSession {
  /** Images [count, 3, height, width] → mean over patches after the final norm, the last layer first: [count, layers · width]. */
  pooled(images: Uint8Array, count: number): Promise<Float32Array>;
  /** … → every patch after the final norm: [count, patches, width]. */
  patches(images: Uint8Array, count: number): Promise<Float32Array>;
  /** … → both of one run, pooled of the last layer alone: [count, width] and [count, patches, width]. */
  both(images: Uint8Array, count: number): Promise<{ readonly pooled: Float32Array; readonly patches: Float32Array }>;
  close(): Promise<void>;
}

/** Close what it gives. */
export async function openEncoder(
  source: Pick<ExportSource, "experiment" | "encoder" | "choice">,
): Promise<EncoderSession> {
  const { experiment } = source;
  const { height, width } = experiment.image;
  const layers = probedLayers(experiment);
  const folder = mkdtempSync(join(tmpdir(), "ijepa-encoder-"));
  const removed = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const path = join(folder, "encoder.onnx");
    await writeEncoderModel(source, { path, precision: "fp32", pooledLayers: layers });
    switchOffTelemetry();
    const { InferenceSession, Tensor } = await import("onnxruntime-node");
    const session = await InferenceSession.create(path);
    const run = async (
      images: Uint8Array,
      count: number,
      names: readonly string[],
    ): Promise<readonly Float32Array[]> => {
      const values = new Tensor("float32", normalized(images, experiment), [count, 3, height, width]);
      const outputs = await session.run({ pixel_values: values }, names);
      return names.map((name) => {
        const data = outputs[name]?.data;
        if (!(data instanceof Float32Array)) throw new Error(`internal: the encoder gave no ${name}`);
        return data;
      });
    };
    const withoutClass = (tokens: Float32Array, count: number): Float32Array =>
      hasClassToken(experiment) ? withoutFirst(tokens, count, experiment.encoder.dim) : tokens;
    const pooledNames = Array.from({ length: layers }, (_, layer) => pooledOutput(layer));
    return {
      pooled: async (images, count) => {
        const parts = await run(images, count, pooledNames);
        const dim = experiment.encoder.dim;
        const out = new Float32Array(count * layers * dim);
        for (let i = 0; i < count; i++) {
          for (const [layer, part] of parts.entries()) {
            out.set(part.subarray(i * dim, (i + 1) * dim), (i * layers + layer) * dim);
          }
        }
        return out;
      },
      patches: async (images, count) => {
        const [tokens = new Float32Array()] = await run(images, count, [OUTPUT]);
        return withoutClass(tokens, count);
      },
      both: async (images, count) => {
        const outputs = await run(images, count, [pooledOutput(0), OUTPUT]);
        const [pooled = new Float32Array(), tokens = new Float32Array()] = outputs;
        return { pooled, patches: withoutClass(tokens, count) };
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

/** [count, 1 + patches, width] → [count, patches, width]: the class token is left out. */
function withoutFirst(tokens: Float32Array, count: number, width: number): Float32Array {
  const row = tokens.length / count;
  const out = new Float32Array(tokens.length - count * width);
  for (let i = 0; i < count; i++) out.set(tokens.subarray(i * row + width, (i + 1) * row), i * (row - width));
  return out;
}
