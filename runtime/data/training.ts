/**
 * The batches of a run, read ahead. What a batch holds follows from (seed, step) alone: not from the number of threads,
 * nor from where the run was resumed.
 */
import { availableParallelism } from "node:os";
import { tooFewImages, tooManyBadImages, type UserError } from "../errors";
import type { Experiment } from "../experiment";
import { firstImageOf, type Place, placesOf } from "../step/share";
import type { BadImage } from "./bad-image";
import { loadSharp } from "./decode";
import type { Shuffle } from "./image-set";
import { openImages, trainPart } from "./open-images";
import { createEpochOrder } from "./order";
import { bytesOfImage } from "./pixels";
import { createPrepare, type TrainingJob } from "./prepare";
import { createSceneCache } from "./scene-cache";
import { fileSource, openSource, type SourcePlan } from "./source";
import { type BatchMaker, createWorkerPool } from "./worker-pool";

/** The images of one run of the step on one device: of a micro-batch, or of the whole batch where nothing is accumulated. */
export interface TrainingBatch {
  /** Optimizer steps done before this one. */
  readonly step: number;
  /** Micro-batch of the step, from 0. */
  readonly microStep: number;
  /** Among the devices of this process, from 0. */
  readonly device: number;
  /** [deviceBatch, 3, H, W], bytes, in memory of its own (not shared with other threads). */
  readonly images: Uint8Array;
  /** Gives the memory back; `images` must not be used any more. Without it the garbage collector does. */
  release(): void;
}

export interface TrainingData {
  /** Images that an epoch draws from. */
  readonly imageCount: number;
  /** Threads that prepare images; 0 = this one. */
  readonly workers: number;
  /** Batches of the optimizer steps `fromStep` … `toStep` − 1, in order: device after device of a micro-batch. */
  batches(range: { readonly fromStep: number; readonly toStep: number }): AsyncGenerator<TrainingBatch, void, void>;
  /** Images that could not be used so far, in place of which others are trained on. */
  readonly badImages: readonly BadImage[];
  /** Of the images of a step, by the number of steps done before it; a bad one keeps its name here. */
  names(step: number): readonly string[];
  close(): Promise<void>;
}

export interface TrainingDataOptions {
  readonly experiment: Experiment;
  /** Folder that relative data paths start from. */
  readonly root: string;
  /** The process that these images are for; left out: the only one. */
  readonly place?: Place;
  /** Devices that it holds; left out: one. */
  readonly devices?: number;
  /** Threads that prepare images; 0 or left out = as many as suit the experiment and the machine. */
  readonly workers?: number;
  /** Cores for them and for the engine; left out: all. */
  readonly cores?: number;
  /** The bundle that this trainer runs from; without it images are prepared in this thread. */
  readonly workerFile?: string;
  /** Told once of everything that a person should know but that does not stop the run. */
  readonly warn?: (message: string) => void;
  /** Told once of every image that cannot be used. */
  readonly badImage?: (image: BadImage) => void;
  /** How long a read that fails is tried again, in milliseconds. */
  readonly patienceMs?: number;
}

/** Throws R13x where the images are not there. */
export async function openTrainingData(options: TrainingDataOptions): Promise<TrainingData> {
  const { experiment, workerFile, place = { rank: 0, size: 1 }, devices = 1, warn = () => {} } = options;
  const { optimizer, image, augmentation, seed } = experiment;
  const workers =
    workerFile === undefined ? 0 : options.workers || workersFor(experiment, { devices, cores: options.cores });
  const { plan, imageCount, nameOf, shuffle } = await trainingSource(options, workers, warn);

  const badImages: BadImage[] = [];
  let tooMany: UserError | null = null;
  const onBad = (image: BadImage): void => {
    badImages.push(image);
    options.badImage?.(image);
    const share = experiment.data.kind === "shapes" ? 0 : experiment.data.maxBadShare;
    if (badImages.length > share * imageCount) tooMany ??= tooManyBadImages({ badImages, imageCount, share });
  };
  const augment = { seed, image, augmentation };
  const maker =
    workers === 0 || workerFile === undefined
      ? makeInThisThread(plan, augment, onBad)
      : createWorkerPool({
          workerFile,
          workers,
          workerData: { role: "data", source: plan, augment },
          bad: onBad,
        });

  const { globalBatch, deviceBatch } = optimizer;
  const places = placesOf(place, devices);
  const microSteps = globalBatch / (deviceBatch * place.size * devices);
  const sharesOfStep = microSteps * devices;
  if (!Number.isInteger(microSteps)) throw new Error("internal: the batch is no multiple of the micro-batch");
  const order = createEpochOrder({ seed, images: imageCount, shuffle });
  /** Shares count over steps, micro-batches and devices. */
  const at = (share: number): Pick<TrainingBatch, "step" | "microStep" | "device"> => ({
    step: Math.floor(share / sharesOfStep),
    microStep: Math.floor((share % sharesOfStep) / devices),
    device: share % devices,
  });
  const jobOf = (share: number): TrainingJob => {
    const { step, microStep, device } = at(share);
    const epoch = Math.floor(step / optimizer.stepsPerEpoch);
    const firstImage = firstImageOf({ microStep, deviceBatch }, places[device] ?? place);
    const from = (step % optimizer.stepsPerEpoch) * globalBatch + firstImage;
    return { epoch, images: order.images({ epoch, from, count: deviceBatch }) };
  };

  async function* batches({ fromStep, toStep }: { readonly fromStep: number; readonly toStep: number }) {
    const free: Uint8Array[] = [];
    const ahead: Promise<Uint8Array>[] = [];
    let begun = fromStep * sharesOfStep;
    for (let share = begun; share < toStep * sharesOfStep; share++) {
      while (begun < toStep * sharesOfStep && ahead.length < maker.depth) {
        const batch = maker.make(jobOf(begun++), free.pop());
        batch.catch(() => {}); // awaited below; until then a failure must not end the process
        ahead.push(batch);
      }
      const images = await (ahead.shift() ?? nothingAhead());
      if (tooMany !== null) throw tooMany;
      let released = false;
      const release = (): void => {
        if (!released) free.push(images);
        released = true;
      };
      yield { ...at(share), images, release };
    }
  }

  const names = (step: number): readonly string[] =>
    Array.from({ length: sharesOfStep }, (_, share) => jobOf(step * sharesOfStep + share)).flatMap(({ images }) =>
      Array.from(images, nameOf),
    );

  return { imageCount, workers, batches, badImages, names, close: () => maker.close() };
}

function nothingAhead(): never {
  throw new Error("internal: no batch was begun");
}

/**
 * The batches as one call after the other, which is how a training loop asks: each call gives the next images and takes
 * back those that its device was given before, since all devices of a process begin together.
 */
export function imagesInTurn(
  data: TrainingData,
  { devices = 1, ...range }: { readonly fromStep: number; readonly toStep: number; readonly devices?: number },
): () => Promise<Uint8Array> {
  const batches = data.batches(range);
  const given: TrainingBatch[] = [];
  return async () => {
    if (given.length === devices) given.shift()?.release();
    const next = await batches.next();
    if (next.done) throw new Error("internal: there are no batches after the last step");
    given.push(next.value);
    return next.value.images;
  };
}

/** Rendered scenes cost little after the first epoch; files keep a thread busy each. The engine needs cores too. */
export function workersFor(
  { data, hardware }: Experiment,
  {
    devices = 1,
    cores = availableParallelism(),
  }: { readonly devices?: number; readonly cores?: number | undefined } = {},
): number {
  if (hardware.workers > 0) return hardware.workers;
  return data.kind === "shapes" ? 1 : Math.max(1, Math.min(8 * devices, Math.floor(cores / 2)));
}

async function trainingSource(
  { experiment: { data }, root, patienceMs }: TrainingDataOptions,
  workers: number,
  warn: (message: string) => void,
): Promise<{
  readonly plan: SourcePlan;
  readonly imageCount: number;
  readonly nameOf: (index: number) => string;
  readonly shuffle: Shuffle | null;
}> {
  if (data.kind === "shapes") {
    const cache = createSceneCache(data, data.trainImages);
    return {
      plan: { kind: "shapes", data, split: "train", cache },
      imageCount: data.trainImages,
      nameOf: (i) => `scene ${i}`,
      shuffle: null,
    };
  }
  // Before any thread needs it: a thread that ends says less than this.
  loadSharp();
  const threads = Math.max(1, workers);
  const set = await openImages(
    { root, given: data.trainPath, what: "train", ...trainPart(data), threads, progress: warn },
    // What is trained on has no labels, and files without any are as good.
    data.kind === "folder" ? data : { ...data, labels: false },
  );
  const { images: found, where } = set;
  if (found < data.trainImages) throw tooFewImages({ folder: where, found, wanted: data.trainImages });
  if (found > data.trainImages) {
    warn(
      `${where} holds ${found} images, more than the ${data.trainImages} of the experiment: ` +
        "each epoch takes as many as it was compiled for, others every time.",
    );
  }
  return { plan: fileSource(set, data, patienceMs), imageCount: found, nameOf: set.nameOf, shuffle: set.shuffle };
}

function makeInThisThread(
  plan: SourcePlan,
  augment: Parameters<typeof createPrepare>[1],
  bad: (image: BadImage) => void,
): BatchMaker {
  const prepare = createPrepare(openSource(plan, bad), augment);
  return {
    // Files are decoded by threads of libuv, so one batch ahead fills the time of the step; scenes would only wait.
    depth: plan.kind === "files" ? 2 : 1,
    make: async (job, memory) => {
      const batch = memory ?? new Uint8Array(job.images.length * bytesOfImage(augment.image));
      await prepare(job, batch);
      return batch;
    },
    close: async () => {},
  };
}
