/** Training images as the target encoder is judged on them: resized whole, not cut at random. */
import { openLabelledImages, usableOf } from "../data/labelled";
import { bytesOfImage } from "../data/pixels";
import { decoderWithoutImages } from "../errors";
import type { Experiment } from "../experiment";
import { randomAt } from "../random/random";

/** Kept in memory, as bytes. */
const mostBytes = 256e6;
const mostImages = 4096;
const atOnce = 64;

export interface TrainingImages {
  readonly count: number;
  /** The images of a step, [B, 3, H, W]: all in a new random order, again and again. */
  batchOf(step: number): Uint8Array;
  /** Mean over all of them, in bytes: [3, H, W]. */
  readonly mean: Float32Array;
}

/** Throws R12x and R13x where the images are not there, R173 where they are too few. */
export async function openTrainingImages(
  experiment: Experiment,
  root: string,
  note: (line: string) => void,
): Promise<TrainingImages> {
  const size = bytesOfImage(experiment.image);
  const limit = Math.max(1, Math.min(mostImages, Math.floor(mostBytes / size)));
  note(`reading up to ${limit} training images`);
  const images = await usableOf(await openLabelledImages({ experiment, root, split: "train", limit, progress: note }));
  const { count } = images;
  const { deviceBatch } = experiment.optimizer;
  if (count < deviceBatch) throw decoderWithoutImages({ count, wanted: deviceBatch });
  const all = new Uint8Array(count * size);
  for (let from = 0; from < count; from += atOnce) {
    all.set(await images.pixels(from, Math.min(atOnce, count - from)), from * size);
  }
  const mean = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (let at = i; at < all.length; at += size) sum += all[at] ?? 0;
    mean[i] = sum / count;
  }
  const perEpoch = Math.floor(count / deviceBatch);
  let order = { epoch: -1, of: new Int32Array() };
  return {
    count,
    mean,
    batchOf: (step) => {
      const epoch = Math.floor(step / perEpoch);
      if (order.epoch !== epoch) {
        const numbers = Int32Array.from({ length: count }, (_, i) => i);
        const of = randomAt({ seed: experiment.seed, purpose: "decoder.order", step: epoch }).shuffle(numbers);
        order = { epoch, of };
      }
      const batch = new Uint8Array(deviceBatch * size);
      for (let i = 0; i < deviceBatch; i++) {
        const number = order.of[(step % perEpoch) * deviceBatch + i] ?? 0;
        batch.set(all.subarray(number * size, (number + 1) * size), i * size);
      }
      return batch;
    },
  };
}
