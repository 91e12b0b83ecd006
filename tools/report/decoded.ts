/** What a run's predictor expects in the target blocks, as a decoder of `ijepa decode` shows it (the paper's Figure 6 in spirit). */

import { bytesOfImage } from "../../runtime/data/pixels";
import type { ImagePlan } from "../../runtime/experiment";
import { type DecodedDraw, type Decoding, type DecodingErrors, errorNames, errorTitles } from "../decode/decoding";
import type { Figure, Section } from "./section";
import { type Grid, squares, svg, text } from "./svg";
import { type Thumbnails, thumbnailsOf } from "./thumbnails";

const shownImages = 4;
const [side, gap, groupGap, line] = [88, 4, 14, 16];

export interface DecodedSectionOptions {
  readonly id: string;
  readonly of: string | null;
}

export async function decodedSection(found: Decoding, { id, of }: DecodedSectionOptions): Promise<Section> {
  const { experiment, decoder, images, patches, draws, errors } = found;
  const { steps, step } = decoder.said;
  const numbers = Array.from({ length: Math.min(shownImages, images) }, (_, i) => i);
  const shown = (pixels: Uint8Array, name: string): Promise<Thumbnails> =>
    thumbnailsOf(
      { pixels: slices(pixels, experiment.image) },
      { image: experiment.image, numbers, id: `${id}-${name}` },
    );
  const originals = await shown(found.pixels, "image");
  const columns: Column[] = [];
  for (const [number, draw] of draws.entries()) {
    const predicted = await shown(draw.predicted, `predicted-${number}`);
    columns.push({ draw, predicted, own: await shown(draw.own, `own-${number}`) });
  }
  return {
    title: of === null ? "What the predictor expects" : `What the predictor expects: ${of}`,
    notes: [
      `A decoder was trained for ${steps} steps on ${decoder.images} training images to give the pixels of a target block from the ` +
        `frozen target encoder's representations of it, after step ${step} of the run. It never saw a prediction. Here it is given ` +
        "what the predictor gives for the block, from the context alone; beside it, what it makes of the block's own representations, " +
        "the best that can be expected of a prediction.",
      `Measured over ${patches} patches of target blocks in ${images} held-out images: ${foundText(errors)}. A prediction is one answer to a question that has many: what the context leaves open is blurred.`,
    ],
    definitions: [originals, ...columns.flatMap(({ predicted, own }) => [predicted, own])]
      .map(({ definitions }) => definitions)
      .join(""),
    figures: [pictures(found, originals, columns), errorBars(found)],
  };
}

/** One clause. */
export function foundText({ own, predicted, meanImage }: DecodingErrors): string {
  if (own >= meanImage) return "the decoder is no nearer than the mean image even with the block's own representations";
  if (predicted >= meanImage) return "predictions are decoded no nearer than the mean image";
  const share = Math.round((100 * (meanImage - predicted)) / (meanImage - own));
  return `predictions go ${share} % of the way from the error of the mean image to that of the block's own representations`;
}

interface Column {
  readonly draw: DecodedDraw;
  readonly predicted: Thumbnails;
  readonly own: Thumbnails;
}

const slices =
  (pixels: Uint8Array, image: ImagePlan) =>
  async (from: number, count: number): Promise<Uint8Array> => {
    const size = bytesOfImage(image);
    return pixels.subarray(from * size, (from + count) * size);
  };

/** A row for each image: the image, then for every draw of masks its context, and both decodings painted into the image. */
function pictures({ experiment }: Decoding, originals: Thumbnails, columns: readonly Column[]): Figure {
  const { gridHeight, gridWidth } = experiment.image;
  const grid: Grid = { rows: gridHeight, columns: gridWidth };
  const cell = side / Math.max(gridHeight, gridWidth);
  const all = Array.from({ length: gridHeight * gridWidth }, (_, patch) => patch);
  const at = (draw: number, column: number): number =>
    side + groupGap + draw * (3 * side + 2 * gap + groupGap) + column * (side + gap);
  const heads = columns.flatMap((_, draw) =>
    ["context", "expected", "its own"].map((name, column) => text(at(draw, column), line - 5, name)),
  );
  const rows = Array.from({ length: originals.count }, (_, image) => {
    const drawn = columns.flatMap(({ draw: { masks }, predicted, own }, draw) => {
      const { C, U } = masks.lengths;
      const seen = new Set(masks.contextIndex.subarray(image * C, (image + 1) * C));
      const targets = new Set(masks.targetIndex.subarray(image * U, (image + 1) * U));
      const hidden = squares(
        all.filter((patch) => !seen.has(patch)),
        grid,
        cell,
      );
      // Patches may have the colour of what covers the others.
      const border = `<path class="seen" d="${outlineOf(seen, grid, cell)}"/>`;
      const outline = `<path class="outline" d="${outlineOf(targets, grid, cell)}"/>`;
      const place = { x: 0, y: 0, size: side };
      return [
        `${originals.draw(image, place)}<path class="cut" d="${hidden}"/>${border}`,
        predicted.draw(image, place) + outline,
        own.draw(image, place) + outline,
      ].map((content, column) => `<g transform="translate(${at(draw, column)} 0)">${content}</g>`);
    });
    const y = line + image * (side + gap);
    return `<g transform="translate(0 ${y})">${originals.draw(image, { x: 0, y: 0, size: side })}${drawn.join("")}</g>`;
  });
  const caption =
    `Held-out images, each under ${columns.length} draws of masks: what the context encoder sees; the target blocks as decoded from ` +
    "what the predictor expects there; and as decoded from the target encoder's own representations. Outside the lines is the image itself";
  const size = { width: at(columns.length, 0) - groupGap, height: line + originals.count * (side + gap) - gap };
  return {
    caption,
    isWide: true,
    markup: svg({ ...size, label: caption }, text(0, line - 5, "image") + heads.join("") + rows.join("")),
  };
}

/** The border of a set of patches, as one path. */
function outlineOf(patches: ReadonlySet<number>, { rows, columns }: Grid, cell: number): string {
  let path = "";
  const number = (value: number): string => String(Number((value * cell).toFixed(2)));
  for (const patch of patches) {
    const [x, y] = [patch % columns, Math.floor(patch / columns)];
    const has = (dx: number, dy: number): boolean =>
      x + dx >= 0 && x + dx < columns && y + dy >= 0 && y + dy < rows && patches.has((y + dy) * columns + x + dx);
    if (!has(0, -1)) path += `M${number(x)} ${number(y)}h${number(1)}`;
    if (!has(0, 1)) path += `M${number(x)} ${number(y + 1)}h${number(1)}`;
    if (!has(-1, 0)) path += `M${number(x)} ${number(y)}v${number(1)}`;
    if (!has(1, 0)) path += `M${number(x + 1)} ${number(y)}v${number(1)}`;
  }
  return path;
}

function errorBars({ errors }: Decoding): Figure {
  const [width, names, height] = [980, 330, 20];
  const most = Math.max(...errorNames.map((name) => errors[name]));
  const bars = errorNames.map((name, i) => {
    const share = most === 0 ? 0 : errors[name] / most;
    const long = Math.max(1, share * (width - names - 60) * 0.7);
    const y = i * height;
    return (
      text(0, y + 14, errorTitles[name]) +
      `<rect class="heat" x="${names}" y="${y + 3}" width="${long.toFixed(2)}" height="14"/>` +
      text(names + long + 6, y + 14, errors[name].toFixed(4))
    );
  });
  const caption = "Mean squared error of the pixels of target blocks, pixels from 0 to 1: less is nearer";
  return {
    caption,
    isWide: true,
    markup: svg({ width, height: errorNames.length * height, label: caption }, bars.join("")),
  };
}
