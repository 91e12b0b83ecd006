/** Pictures of what a run's target encoder makes of held-out images: patches by colour, nearest neighbours, a map. */
import type { ImagePlan } from "../../runtime/experiment";
import { encoderText } from "../export/source";
import type { HeldOutFeatures } from "./held-out";
import type { PredictedCosines } from "./predictions";
import { neighboursOf, planeOf, principalCoordinates } from "./projection";
import type { Figure, Section } from "./section";
import { type Grid, short, squares, svg, text } from "./svg";
import { type Thumbnails, thumbnailsOf } from "./thumbnails";

const colouredImages = 8;
const queries = 6;
const neighbours = 6;
/** Pixels of a thumbnail of the map. */
const thumbnailPixels = 72;

export interface FeatureSectionOptions {
  readonly id: string;
  readonly of: string | null;
}

export async function featureSection(found: HeldOutFeatures, { id, of }: FeatureSectionOptions): Promise<Section> {
  const { experiment, images, count, step, predicted } = found;
  const numbers = Array.from({ length: count }, (_, i) => i);
  const { image } = experiment;
  const small = await thumbnailsOf(images, { image, numbers, id: `${id}-small`, mostPixels: thumbnailPixels });
  const large = await thumbnailsOf(images, {
    image,
    numbers: numbers.slice(0, Math.min(colouredImages, found.patchImages)),
    id: `${id}-large`,
  });
  return {
    title: of === null ? "Features" : `Features: ${of}`,
    notes: [
      `Of the ${encoderText(experiment, "target")} after step ${step}, for ${count} held-out images that it was not trained on. These are pictures, not measures: ` +
        "what the features are worth is said by the evaluation.",
      ...(typeof predicted === "string" ? [`Predictions are not shown: ${predicted}.`] : []),
    ],
    definitions: small.definitions + large.definitions,
    figures: [
      colouredPatches(found, large),
      ...(typeof predicted === "string" ? [] : [predictedPicture(predicted, image, large)]),
      nearest(found, small),
      map(found, small),
    ],
  };
}

/** The first three principal components of all patches as red, green and blue. */
function colouredPatches(
  { byPatch, patchImages, patches, width, experiment }: HeldOutFeatures,
  shown: Thumbnails,
): Figure {
  const { gridHeight, gridWidth } = experiment.image;
  const places = principalCoordinates({ values: byPatch, count: patchImages * patches, width }, 3);
  const ranges = [0, 1, 2].map((component) => middleOf(places.map((place) => place[component] ?? 0)));
  const colour = (place: readonly number[]): string => {
    const channels = ranges.map(({ low, high }, component) => {
      const share = high === low ? 0.5 : ((place[component] ?? low) - low) / (high - low);
      return Math.round(255 * Math.min(1, Math.max(0, share)));
    });
    return `rgb(${channels.join(",")})`;
  };
  const [side, gap, columns] = [110, 8, 4];
  const cell = side / Math.max(gridHeight, gridWidth);
  const drawn = Array.from({ length: shown.count }, (_, i) => {
    const squares = Array.from({ length: patches }, (_, patch) => {
      const [x, y] = [(patch % gridWidth) * cell, Math.floor(patch / gridWidth) * cell];
      const fill = colour(places[i * patches + patch] ?? []);
      // A little wider, so that no line shows between two.
      return `<rect x="${short(side + 2 + x)}" y="${short(y)}" width="${short(cell + 0.3)}" height="${short(cell + 0.3)}" fill="${fill}"/>`;
    });
    const at = { x: (i % columns) * (2 * side + gap + 8), y: Math.floor(i / columns) * (side + gap) };
    return `<g transform="translate(${at.x} ${at.y})">${shown.draw(i, { x: 0, y: 0, size: side })}<g class="patches">${squares.join("")}</g></g>`;
  });
  const caption = `Patch features by colour: the first three principal components over the patches of ${patchImages} images`;
  const rows = Math.ceil(shown.count / columns);
  const size = { width: columns * (2 * side + gap + 8) - gap, height: rows * (side + gap) - gap };
  return { caption, isWide: true, markup: svg({ ...size, label: caption }, drawn.join("")) };
}

/** Where all but the outermost two per cent on either side lie. */
function middleOf(values: readonly number[]): { readonly low: number; readonly high: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  return { low: at(0.02), high: at(0.98) };
}

/** Every image with its context, then its target blocks, each patch in the colour of its cosine. */
function predictedPicture(
  { images, blocks, tokens, patches, cosines, context, contextTokens }: PredictedCosines,
  { gridHeight, gridWidth }: ImagePlan,
  shown: Thumbnails,
): Figure {
  const [side, gap, line] = [110, 8, 16];
  const grid: Grid = { rows: gridHeight, columns: gridWidth };
  const cell = side / Math.max(gridHeight, gridWidth);
  const rows = Array.from({ length: Math.min(images, shown.count) }, (_, image) => {
    const seen = new Set(context.subarray(image * contextTokens, (image + 1) * contextTokens));
    const hidden = Array.from({ length: gridHeight * gridWidth }, (__, patch) => patch).filter(
      (patch) => !seen.has(patch),
    );
    const first = `${shown.draw(image, { x: 0, y: 0, size: side })}<path class="veil" d="${squares(hidden, grid, cell)}"/>`;
    const others = Array.from({ length: blocks }, (__, block) => {
      const from = (image * blocks + block) * tokens;
      const own = cosines.subarray(from, from + tokens);
      const drawn = [...patches.subarray(from, from + tokens)].map(
        (patch, i) => `<path fill="${cosineColour(own[i] ?? 0)}" d="${squares([patch], grid, cell)}"/>`,
      );
      const mean = own.reduce((sum, value) => sum + value, 0) / tokens;
      const veiled = `${shown.draw(image, { x: 0, y: 0, size: side })}<rect class="veil thin" width="${side}" height="${side}"/>`;
      const x = (block + 1) * (side + gap) + 12;
      return `<g transform="translate(${x} 0)">${veiled}<g class="patches">${drawn.join("")}</g>${text(0, side + 12, mean.toFixed(3))}</g>`;
    });
    return `<g transform="translate(0 ${image * (side + line + gap)})">${first}${others.join("")}</g>`;
  });
  const caption =
    "Predictions: what the context encoder sees, then each target block with the cosine between prediction and target " +
    "(blue 1, white 0.5, red 0 and less; the mean below)";
  const size = { width: (blocks + 1) * (side + gap) + 12, height: rows.length * (side + line + gap) };
  return { caption, isWide: true, markup: svg({ ...size, label: caption }, rows.join("")) };
}

/** From red at 0 over white at ½ to blue at 1. */
function cosineColour(cosine: number): string {
  const share = Math.min(1, Math.max(0, cosine));
  const far = 2 * Math.abs(share - 0.5);
  const [red, green, blue] = share < 0.5 ? [200, 50, 47] : [38, 98, 190];
  const mixed = [red, green, blue].map((channel) => Math.round(255 + (channel - 255) * far));
  return `rgb(${mixed.join(",")})`;
}

function nearest({ pooled, count, width }: HeldOutFeatures, shown: Thumbnails): Figure {
  const [side, gap, line] = [84, 8, 16];
  const asked = Math.min(queries, count);
  const rows = Array.from({ length: asked }, (_, row) => {
    // Spread over the images, which may be sorted by class.
    const query = Math.floor((row * count) / asked);
    const y = row * (side + line + gap);
    const found = neighboursOf({ values: pooled, count, width }, query, neighbours).map(({ index, cosine }, n) => {
      const x = (n + 1) * (side + gap) + 12;
      return shown.draw(index, { x, y, size: side }) + text(x, y + side + 12, cosine.toFixed(3));
    });
    const frame = `<rect class="asked" x="1" y="${y + 1}" width="${side - 2}" height="${side - 2}"/>`;
    return shown.draw(query, { x: 0, y, size: side }) + frame + found.join("");
  });
  const caption = `Nearest neighbours among ${count} held-out images, by the cosine of pooled features (below each)`;
  const size = { width: (neighbours + 1) * (side + gap) + 12, height: asked * (side + line + gap) };
  return { caption, isWide: true, markup: svg({ ...size, label: caption }, rows.join("")) };
}

function map({ pooled, count, width }: HeldOutFeatures, shown: Thumbnails): Figure {
  const { method, places } = planeOf({ values: pooled, count, width });
  const size = { width: 900, height: 560 };
  const thumbnail = Math.max(18, Math.min(44, Math.sqrt((size.width * size.height) / count) * 0.62));
  const along = (axis: 0 | 1, length: number): ((place: readonly number[]) => number) => {
    const values = places.map((place) => place[axis] ?? 0);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return (place) => (high === low ? 0.5 : ((place[axis] ?? low) - low) / (high - low)) * (length - thumbnail);
  };
  const [x, y] = [along(0, size.width), along(1, size.height)];
  const drawn = places.map((place, i) => shown.draw(i, { x: x(place), y: y(place), size: thumbnail }));
  const caption = `Map of pooled features by ${method}: what lies close has similar features; axes have no meaning`;
  return { caption, isWide: true, markup: svg({ ...size, label: caption }, drawn.join("")) };
}
