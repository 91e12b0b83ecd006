/** What a decoder makes of held-out images: target blocks as the predictor expects them, as they are, and how far off both are. */
import { type LabelledImages, openLabelledImages, usableOf } from "../../runtime/data/labelled";
import { bytesOfImage } from "../../runtime/data/pixels";
import type { IJepaExperiment, ImagePlan } from "../../runtime/experiment";
import { type MaskBatch, sampleSet } from "../../runtime/masks/sampler";
import { type Predicted, predict } from "../export/onnx/predictions";
import { whyLeftOut } from "../export/refused";
import { type ExportSource, openSource } from "../export/source";
import { frequentSteps } from "../report/predictions";
import { decoderOfRun, encoderSum, type TrainedDecoder } from "./decoder-of-run";

/** Held-out images, each with masks of so many steps. */
const mostImages = 32;
const mostDraws = 3;

/** Mean squared error of the pixels of all patches of target blocks, pixels from 0 to 1. */
export interface DecodingErrors {
  /** What is decoded from the predictor's representations. */
  readonly predicted: number;
  /** From the target encoder's own, which saw the patches: no prediction can be expected to do better. */
  readonly own: number;
  /** The mean training image in their place. */
  readonly meanImage: number;
  /** One colour in their place: the mean of the image's context. */
  readonly contextColour: number;
}

/** Masks for all images, and what was decoded in their target blocks. */
export interface DecodedDraw {
  readonly masks: MaskBatch;
  /** Images with their target blocks painted over, [images, 3, H, W] bytes. */
  readonly predicted: Uint8Array;
  readonly own: Uint8Array;
}

export interface Decoding {
  readonly experiment: IJepaExperiment;
  readonly decoder: TrainedDecoder;
  readonly images: number;
  /** The images themselves, [images, 3, H, W] bytes. */
  readonly pixels: Uint8Array;
  readonly draws: readonly DecodedDraw[];
  /** Of target blocks, one that lies in several counted as often. */
  readonly patches: number;
  readonly errors: DecodingErrors;
}

/** A sentence where there is nothing to show; null where the run has no decoder. */
export async function decodingOf(what: { readonly run: string; readonly root: string }): Promise<Decoding | string> {
  try {
    const decoder = await decoderOfRun(what.run);
    if (decoder === null) return "the run has no decoder: `ijepa decode` trains one";
    const opened = await openSource(what.run, "target");
    if (!opened.ok) return opened.problem.what;
    const { source } = opened;
    try {
      const { experiment } = source;
      if (!("predictor" in experiment)) return "the experiment has no predictor";
      if ((await encoderSum(source)) !== decoder.said.encoder) {
        return `the decoder is of step ${decoder.said.step}, and of another target encoder than the checkpoint's: ijepa decode trains it anew`;
      }
      const options = { experiment, root: what.root, split: "test", limit: mostImages } as const;
      return await decoded({ ...source, experiment }, decoder, await usableOf(await openLabelledImages(options)));
    } finally {
      await source.close();
    }
  } catch (error) {
    return whyLeftOut(error);
  }
}

async function decoded(
  source: Pick<ExportSource, "all"> & { readonly experiment: IJepaExperiment },
  decoder: TrainedDecoder,
  of: LabelledImages,
): Promise<Decoding | string> {
  const { experiment } = source;
  const { image, masks: plan, seed } = experiment;
  const images = of.count;
  if (images === 0) return "0 held-out images";
  const pixels = await of.pixels(0, images);
  const draws: DecodedDraw[] = [];
  const sums: Sums = { own: 0, predicted: 0, contextColour: 0, meanImage: 0, values: 0 };
  for (const step of frequentSteps(experiment, mostDraws)) {
    const masks = sampleSet(plan, { seed, step, images, firstImage: 0 });
    const found = await predict(source, pixels, masks, images, decoder);
    if (!found.ok) return found.why;
    const { pixels: made } = found.predicted;
    if (made === null) throw new Error("internal: nothing was decoded");
    draws.push(drawn({ experiment, pixels, images, masks, made, meanImage: decoder.meanImage }, sums));
  }
  if (draws.length === 0) return "no step of the most frequent program was found";
  const { values } = sums;
  return {
    experiment,
    decoder,
    images,
    pixels,
    draws,
    patches: values / (3 * image.patch ** 2),
    errors: {
      own: sums.own / values,
      predicted: sums.predicted / values,
      contextColour: sums.contextColour / values,
      meanImage: sums.meanImage / values,
    },
  };
}

/** Of squared errors, and how many values they are of. */
type Sums = { [Name in keyof DecodingErrors | "values"]: number };

interface ToDraw extends Pick<Decoding, "experiment" | "pixels" | "images"> {
  readonly masks: MaskBatch;
  readonly made: NonNullable<Predicted["pixels"]>;
  readonly meanImage: Float32Array;
}

/** Paints what was made into the images, and adds up how far off it is. */
function drawn({ experiment, pixels, images, masks, made, meanImage }: ToDraw, sums: Sums): DecodedDraw {
  const { image, masks: plan } = experiment;
  const { C, T, U } = masks.lengths;
  const [predicted, own] = [painter(pixels), painter(pixels)];
  for (let i = 0; i < images; i++) {
    const colour = meanColour(pixels, image, { at: i, patches: masks.contextIndex.subarray(i * C, (i + 1) * C) });
    for (let token = 0; token < U; token++) {
      // Rows are (block, context, image), and the first context is shown.
      const row = Math.floor(token / T) * plan.contextCount * images + i;
      const places = placesOf(image, i, masks.targetIndex[i * U + token] ?? 0);
      const from = (row * T + (token % T)) * places.length;
      for (const [value, place] of places.entries()) {
        const channel = Math.floor((3 * value) / places.length);
        const guesses: DecodingErrors = {
          own: toByte(made.targets[from + value] ?? 0, image, channel),
          predicted: toByte(made.predictions[from + value] ?? 0, image, channel),
          contextColour: colour[channel] ?? 0,
          meanImage: meanImage[place - i * bytesOfImage(image)] ?? 0,
        };
        own.add(place, guesses.own);
        predicted.add(place, guesses.predicted);
        for (const name of errorNames) sums[name] += ((guesses[name] - (pixels[place] ?? 0)) / 255) ** 2;
        sums.values++;
      }
    }
  }
  return { masks, predicted: predicted.painted(), own: own.painted() };
}

/** A normalized pixel as the nearest that a picture can show, not rounded. */
const toByte = (normal: number, { mean, std }: ImagePlan, channel: number): number =>
  255 * Math.min(1, Math.max(0, normal * (std[channel] ?? 1) + (mean[channel] ?? 0)));

export const errorNames = [
  "own",
  "predicted",
  "contextColour",
  "meanImage",
] as const satisfies readonly (keyof DecodingErrors)[];

/** For people, in the order of `errorNames`. */
export const errorTitles: { readonly [Name in keyof DecodingErrors]: string } = {
  own: "decoded from the target encoder's representations",
  predicted: "decoded from the predictor's",
  contextColour: "the mean colour of the context",
  meanImage: "the mean training image",
};

/** A line for each. */
export function errorsText({ errors, patches, images }: Decoding): string {
  const width = Math.max(...errorNames.map((name) => errorTitles[name].length));
  return [
    `Mean squared error of pixels (0 to 1) over ${patches} patches of target blocks in ${images} held-out images:`,
    ...errorNames.map((name) => `  ${errorTitles[name].padEnd(width)}  ${errors[name].toFixed(5)}`),
  ].join("\n");
}

/** Where the values of a patch lie among the bytes of images, in the order (channel, y, x) of `patchify`. */
function placesOf({ height, width, patch, gridWidth }: ImagePlan, at: number, number: number): readonly number[] {
  const [top, left] = [Math.floor(number / gridWidth) * patch, (number % gridWidth) * patch];
  return Array.from({ length: 3 * patch * patch }, (_, value) => {
    const channel = Math.floor(value / (patch * patch));
    const [y, x] = [Math.floor((value % (patch * patch)) / patch), value % patch];
    return ((at * 3 + channel) * height + top + y) * width + left + x;
  });
}

/** Paints over images; what is painted twice becomes the mean. */
function painter(images: Uint8Array) {
  const sums = new Float64Array(images.length);
  const counts = new Uint8Array(images.length);
  return {
    add: (place: number, value: number): void => {
      sums[place] = (sums[place] ?? 0) + value;
      counts[place] = (counts[place] ?? 0) + 1;
    },
    painted: (): Uint8Array =>
      images.map((byte, place) => {
        const count = counts[place] ?? 0;
        return count === 0 ? byte : Math.round((sums[place] ?? 0) / count);
      }),
  };
}

function meanColour(
  images: Uint8Array,
  image: ImagePlan,
  { at, patches }: { readonly at: number; readonly patches: Int32Array },
): readonly number[] {
  const sums = [0, 0, 0];
  for (const patch of patches) {
    const places = placesOf(image, at, patch);
    for (const [value, place] of places.entries()) {
      const channel = Math.floor((3 * value) / places.length);
      sums[channel] = (sums[channel] ?? 0) + (images[place] ?? 0);
    }
  }
  const each = Math.max(1, patches.length * image.patch ** 2);
  return sums.map((sum) => sum / each);
}
