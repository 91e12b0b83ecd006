/** A micro-batch of a run as the tensors of a trace: images as the step sees them, and one tensor of patches for every mask of all sets. */
import type { TensorToWrite } from "../checkpoint/safetensors";
import type { Experiment, RuntimeObjective } from "../experiment";
import type { PreparedMicroBatch } from "../loop/train-loop";
import { contextsOf } from "../masks/plan";
import { setsOf } from "../masks/sets";
import type { Lengths } from "../step/lengths";

export function batchTensors(
  { experiment, objective }: { readonly experiment: Experiment; readonly objective: Pick<RuntimeObjective, "masks"> },
  { microBatch, images }: { readonly microBatch: PreparedMicroBatch; readonly images: Uint8Array },
  nameOf: (rest: string) => string,
): readonly TensorToWrite[] {
  const { image, masks, optimizer } = experiment;
  const { deviceBatch: count } = optimizer;
  const { targetCount: targets } = masks;
  // Of images as the masks count them: one of each set.
  const rows = setsOf(masks) * count;
  const { C, T }: Lengths = microBatch.lengths;
  const [batch] = microBatch.batches;
  if (batch === undefined) throw new Error("internal: a micro-batch without masks");
  const masksOf = (name: string, length: number, values: () => Int32Array): TensorToWrite => ({
    ...{ name: nameOf(name), dtype: "I32", shape: [rows, length] },
    values,
  });
  const seen = asIndices(batch[objective.masks.seen.leaf]);
  const predicted = asIndices(batch[objective.masks.predicted.leaf]);
  return [
    {
      ...{ name: nameOf("images"), dtype: "F32", shape: [count, 3, image.height, image.width] },
      values: () => normalized(images, image),
    },
    ...Array.from({ length: contextsOf(masks) }, (_, j) =>
      masksOf(`mask_enc.${j}`, C, () => seen.slice(j * rows * C, (j + 1) * rows * C)),
    ),
    ...Array.from({ length: targets }, (_, j) =>
      masksOf(`mask_pred.${j}`, T, () => {
        const own = new Int32Array(rows * T);
        for (let b = 0; b < rows; b++) {
          const from = (b * targets + j) * T;
          own.set(predicted.subarray(from, from + T), b * T);
        }
        return own;
      }),
    ),
  ];
}

function asIndices(values: object | undefined): Int32Array {
  if (values instanceof Int32Array) return values;
  throw new Error("internal: a mask of other numbers than int32");
}

/** (x / 255 − mean) / std in float32, in that order, as normalizePixels. */
function normalized(bytes: Uint8Array, { height, width, mean, std }: Experiment["image"]): Float32Array {
  const out = new Float32Array(bytes.length);
  const plane = height * width;
  const { fround } = Math;
  for (let i = 0; i < out.length; i++) {
    const channel = Math.floor(i / plane) % 3;
    const value = fround((bytes[i] ?? 0) / 255);
    out[i] = fround(fround(value - fround(mean[channel] ?? 0)) / fround(std[channel] ?? 1));
  }
  return out;
}
