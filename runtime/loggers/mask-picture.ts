/** The masks of a step over its images, for loggers that show pictures: what the model was shown, as it was shown it. */
import type { Experiment, RuntimeObjective, TrainerProgram } from "../experiment";
import type { PreparedStep, StepRunner } from "../loop/train-loop";
import { contextsOf } from "../masks/plan";
import { setsOf } from "../masks/sets";
import type { Picture } from "./logger";

/** Images of a picture; each is a row of three: the image, what of it is seen, what is predicted. */
const mostImages = 4;
const gap = 2;
const white = 255;
/** What is masked keeps so much of its light. */
const dimmed = 0.2;

export interface MasksToDraw {
  readonly experiment: Pick<Experiment, "image" | "masks" | "optimizer">;
  readonly objective: Pick<RuntimeObjective, "masks">;
  /** [B, 3, H, W], at least of the images that are drawn. */
  readonly images: Uint8Array;
  readonly masks: Masks;
}

/** As the sampler gives them. */
export interface Masks {
  /** [contexts · sets · B, C] */
  readonly seen: Int32Array;
  /** [sets · B, targets · T] */
  readonly predicted: Int32Array;
}

type Batch = PreparedStep["microBatches"][number]["batches"][number];

function masksIn(batch: Batch, { masks }: Pick<RuntimeObjective, "masks">): Masks {
  return { seen: patchesOf(batch[masks.seen.leaf]), predicted: patchesOf(batch[masks.predicted.leaf]) };
}

function patchesOf(values: object | undefined): Int32Array {
  if (values instanceof Int32Array) return values;
  throw new Error("internal: a mask of other numbers than int32");
}

export function maskPicture({ experiment, objective, images, masks: { seen, predicted } }: MasksToDraw): Picture {
  const { image, masks, optimizer } = experiment;
  const contextCount = contextsOf(masks);
  const sets = setsOf(masks);
  const count = Math.min(mostImages, optimizer.deviceBatch);
  const width = 3 * image.width + 2 * gap;
  const height = count * image.height + (count - 1) * gap;
  const data = new Uint8Array(3 * width * height).fill(white);
  const contexts = rowsOf(seen, sets * contextCount * optimizer.deviceBatch);
  const targets = rowsOf(predicted, sets * optimizer.deviceBatch);
  for (let b = 0; b < count; b++) {
    // Of the first set: context j of image b stands in row j · sets · B + b, its targets in row b.
    const context = Array.from(
      { length: contextCount },
      (_, j) => contexts[j * sets * optimizer.deviceBatch + b] ?? [],
    );
    const shown: readonly (ReadonlySet<number> | null)[] = [
      null,
      new Set(context.flatMap((patches) => [...patches])),
      new Set(targets[b] ?? []),
    ];
    for (const [column, patches] of shown.entries()) {
      const left = column * (image.width + gap);
      const top = b * (image.height + gap);
      drawTile(data, { width, left, top, image, patches, pixels: images.subarray(3 * b * image.width * image.height) });
    }
  }
  const { masks: called } = objective;
  return { name: `masks: image, ${called.seen.name}, ${called.predicted.name}`, width, height, data };
}

interface Tile {
  /** Of the picture. */
  readonly width: number;
  readonly left: number;
  readonly top: number;
  readonly image: Experiment["image"];
  /** Patches that keep their light; null: all. */
  readonly patches: ReadonlySet<number> | null;
  /** [3, H, W] */
  readonly pixels: Uint8Array;
}

function drawTile(data: Uint8Array, { width, left, top, image, patches, pixels }: Tile): void {
  const plane = image.width * image.height;
  for (let y = 0; y < image.height; y++) {
    for (let x = 0; x < image.width; x++) {
      const patch = Math.floor(y / image.patch) * image.gridWidth + Math.floor(x / image.patch);
      const light = patches === null || patches.has(patch) ? 1 : dimmed;
      const at = 3 * ((top + y) * width + left + x);
      for (let c = 0; c < 3; c++) data[at + c] = light * (pixels[c * plane + y * image.width + x] ?? 0);
    }
  }
}

/** A flat list as so many rows of one length. */
function rowsOf(indices: ArrayLike<number>, rows: number): readonly (readonly number[])[] {
  const length = indices.length / rows;
  return Array.from({ length: rows }, (_, row) => Array.from({ length }, (_, i) => indices[row * length + i] ?? 0));
}

/**
 * Draws the masks of the first step of this process and of every epoch, of its first device. `take` gets the picture with the
 * number of the step, from 1.
 */
export function picturingRunner(
  runner: StepRunner,
  {
    experiment,
    objective,
    take,
  }: Pick<TrainerProgram, "experiment" | "objective"> & {
    readonly take: (step: number, picture: Picture) => void;
  },
): StepRunner {
  const steps = new WeakMap<PreparedStep, number>();
  let isFirst = true;
  const begin: StepRunner["begin"] = (prepared, nextImages) => {
    const step = steps.get(prepared);
    const given = prepared.microBatches[0]?.batches[0];
    const masks = given === undefined ? null : masksIn(given, objective);
    const isDrawn = isFirst || (step !== undefined && step % experiment.optimizer.stepsPerEpoch === 0);
    isFirst = false;
    if (step === undefined || masks === null || !isDrawn) return runner.begin(prepared, nextImages);
    let hasImages = false;
    return runner.begin(prepared, async () => {
      const images = await nextImages();
      // Drawn before the engine takes them: their memory goes back to the threads that prepare others.
      if (!hasImages) take(step + 1, maskPicture({ experiment, objective, images, masks }));
      hasImages = true;
      return images;
    });
  };
  return {
    ahead: runner.ahead,
    prepare: (step) => {
      const prepared = runner.prepare(step);
      steps.set(prepared, step);
      return prepared;
    },
    begin,
    run: async (prepared, nextImages) => {
      const { outcome, dataMs } = await begin(prepared, nextImages);
      return { ...(await outcome), dataMs };
    },
  };
}
