/** A first experiment for images that somebody has: every number with the reason for it. */
import type { LookedImages } from "./images";

export interface ChoiceInput {
  readonly name: string;
  /** Null: scenes that the trainer renders. */
  readonly images: LookedImages | null;
  /** Whether the classes of the images are labels, where they have some. */
  readonly labels: boolean;
  readonly schema: string;
}

/** A field with its value as JSON, and why. */
interface Line {
  readonly field: string;
  readonly json: string;
  readonly why: string;
}

/** Images of shapes in an epoch. */
const SCENES = 8192;
/** From this many images on a larger encoder has something to learn from. */
const MANY_IMAGES = 20_000;

export const imagesOf = ({ images }: ChoiceInput): number => images?.count ?? SCENES;

/** The text of the spec, JSON with comments; `epochs` and the reason for it come from a step that was timed. */
export function specText(
  input: ChoiceInput,
  { epochs, why }: { readonly epochs: number; readonly why: string },
): string {
  const lines = linesOf(input, { field: "optimization", json: optimization(input, epochs), why });
  const body = lines.map(({ field, json, why: reason }, i) => {
    const comma = i === lines.length - 1 ? "" : ",";
    return `  // ${reason}\n  ${JSON.stringify(field)}: ${json}${comma}\n`;
  });
  return `{\n  "$schema": ${JSON.stringify(input.schema)},\n${body.join("")}}\n`;
}

/** The same for people, one choice on a line. */
export function choicesText(input: ChoiceInput, chosen: { readonly epochs: number; readonly why: string }): string {
  return linesOf(input, { field: "optimization", json: optimization(input, chosen.epochs), why: chosen.why })
    .map(({ field, why }) => `  ${field}: ${why}\n`)
    .join("");
}

function optimization(input: ChoiceInput, epochs: number): string {
  const images = imagesOf(input);
  const globalBatch = images >= MANY_IMAGES ? 64 : 2 ** Math.max(0, Math.min(4, Math.floor(Math.log2(images / 4))));
  return (
    `{ "epochs": ${epochs}, "globalBatch": ${globalBatch}, "learningRate": { "peak": 0.002 },` +
    ` "weightDecay": { "start": 0.2, "final": 0.2 }, "momentum": { "start": 0.97, "final": 0.999 } }`
  );
}

function linesOf(input: ChoiceInput, training: Line): readonly Line[] {
  const { images, labels } = input;
  const side = images?.side ?? 64;
  // A grid of 8×8 patches is the smallest on which blocks differ, and the quickest.
  const size = side >= 128 ? 96 : side >= 64 ? 64 : 32;
  const patch = size / 8;
  const isLarge = imagesOf(input) >= MANY_IMAGES;
  const encoder = isLarge ? { dim: 192, depth: 6, heads: 3, patch } : { dim: 96, depth: 3, heads: 3, patch };
  const predictor = isLarge ? { dim: 96, depth: 3 } : { dim: 48, depth: 2 };
  const json = (value: object): string => JSON.stringify(value, null, 1).replace(/\n\s*/g, " ");
  const seen =
    images === null
      ? "scenes of 64 pixels"
      : `usual images have ${images.side ?? "unknown"} pixels on their shorter side`;
  return [
    { field: "image", json: json({ size }), why: `${seen}; ${size} pixels train in minutes without a GPU` },
    {
      field: "encoder",
      json: json(encoder),
      why: `${isLarge ? "many images carry a ViT of 6 blocks" : "few images carry a small ViT of 3 blocks"}; patches of ${patch} pixels make a grid of 8×8`,
    },
    { field: "predictor", json: json(predictor), why: "narrower than the encoder, as in the paper" },
    {
      field: "masking",
      json: json({ sampler: "unbiased", targets: { scale: [0.2, 0.3] } }),
      why: "targets of 20 to 30 % of the patches: on so coarse a grid smaller ones are a few patches",
    },
    { field: "data", json: json(dataOf(images, labels)), why: dataWhy(images, labels) },
    training,
    {
      field: "init",
      json: json({ std: 0.07, patchStd: 0.1, positionScale: 0.5 }),
      why: "a short training begins faster from larger weights (docs/quickstart.md)",
    },
  ];
}

function dataOf(images: LookedImages | null, labels: boolean): object {
  if (images === null) return { source: "shapes", trainImages: SCENES };
  const { kind, train, validation, classes } = images;
  return {
    source: kind,
    train,
    ...(validation !== null && { validation }),
    ...(!(labels && classes.length > 0) && { labels: false }),
  };
}

function dataWhy(images: LookedImages | null, labels: boolean): string {
  if (images === null) return "scenes that the trainer renders; --images takes your own";
  const { count, validation } = images;
  if (images.classes.length === 0) return `${count} images, no classes, so nothing is evaluated with labels`;
  const classes = `${count} images, ${images.classes.length} classes`;
  if (!labels) return `${classes} that are not used: nothing is evaluated with labels`;
  return validation === null
    ? `${classes}; a tenth is held out for the probes where there are enough`
    : `${classes}; the probes are judged on the validation images`;
}
