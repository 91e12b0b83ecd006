/**
 * Draws docs/images/masks.png: what the official 224/14 setting really masks, by both samplers, over rendered scenes.
 * `npx tsx scripts/mask-picture.ts` draws it anew.
 */
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { multiblock } from "../compiler/masks/strategies/multiblock";
import { loadSpec } from "../compiler/spec/load";
import { maskSettings } from "../compiler/spec/mask-settings";
import { createRenderer } from "../runtime/data/shapes/render";
import { sceneAt } from "../runtime/data/shapes/shapes";
import type { ShapesData } from "../runtime/experiment";
import type { MaskBatch } from "../runtime/masks/batch";
import { sampleMultiblock, stepSizes } from "../runtime/masks/strategies/multiblock";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Side of a drawn image and the space around it, in pixels of the picture. */
const side = 288;
const gap = 14;
const labels = 214;
const footer = 64;
const edge = 28;
/** Which scenes are shown, and the step whose masks are: chosen by eye, drawn by the samplers of a trainer. */
const scenes = [16, 44, 12, 31, 55];
const step = 5;

const colours = {
  card: "#10151d",
  text: "#e6edf3",
  quiet: "#8b98a9",
  targets: ["#ff6b6b", "#ffc94d", "#4dd6a8", "#5aa9ff"],
} as const;

const loaded = loadSpec(join(root, "experiments", "official", "in1k_vith14_ep300.json"));
if (!loaded.ok || loaded.spec.objective !== "ijepa")
  throw new Error("internal: the official configuration is not valid");
const settings = maskSettings(loaded.spec);
if (settings.strategy !== "multiblock") throw new Error("internal: the official configuration has other masks");
const patches = settings.grid.width;
const cell = side / patches;

const data: ShapesData = {
  kind: "shapes",
  trainImages: 64,
  validationImages: 1,
  testImages: 1,
  sceneSize: side,
  difficulty: 0.5,
  seed: 0,
};

const rows = [
  { title: "image", lines: ["224 pixels in", `${patches} × ${patches} patches`], masks: null },
  ...(["reference", "unbiased"] as const).map((sampler) => {
    const plan = multiblock.plan({ ...settings, sampler });
    const masks = sampleMultiblock(plan, { seed: 0, step, images: scenes.length, firstImage: 0 });
    const { target } = stepSizes(plan, { seed: 0, step });
    return {
      title: sampler,
      lines: [
        `context: ${masks.lengths.C} patches`,
        `targets: 4 × ${masks.lengths.T}`,
        `(${target.height} rows × ${target.width})`,
      ],
      masks,
    };
  }),
];

const width = 2 * edge + labels + scenes.length * side + (scenes.length - 1) * gap;
const height = 2 * edge + rows.length * side + (rows.length - 1) * gap + footer;
const left = (column: number): number => edge + labels + column * (side + gap);
const top = (row: number): number => edge + row * (side + gap);

const renderer = createRenderer(side);
const images = await Promise.all(
  scenes.map((scene) => {
    const pixels = new Uint8Array(3 * side * side);
    renderer.render(sceneAt(data, "train", scene), pixels, 0);
    return sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
      .png()
      .toBuffer();
  }),
);
const card = `<rect width="${width}" height="${height}" rx="18" fill="${colours.card}"/>`;
const drawing = rows.flatMap(({ title, lines, masks }, row) => [
  label(title, lines, row),
  ...scenes.map((_, column) => overlay(row, column, masks)),
]);
const picture = await sharp(svg(card))
  .composite([
    ...rows.flatMap((_, row) => images.map((input, column) => ({ input, left: left(column), top: top(row) }))),
    { input: svg([...drawing, legend()].join("\n")) },
  ])
  .png({ palette: true, quality: 95, effort: 10 })
  .toBuffer();
writeFileSync(join(root, "docs", "images", "masks.png"), picture);
console.log(`wrote docs/images/masks.png: ${width} × ${height}, ${Math.round(picture.length / 1024)} KiB`);

function svg(content: string): Buffer {
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="DejaVu Sans, sans-serif">`;
  return Buffer.from(`${head}\n${content}\n</svg>`);
}

function label(title: string, lines: readonly string[], row: number): string {
  const first = top(row) + side / 2 - 12 * lines.length;
  return [
    `<text x="${edge}" y="${first}" font-size="25" font-weight="bold" fill="${colours.text}">${title}</text>`,
    ...lines.map((line, i) => small(edge, first + 34 + 26 * i, line)),
  ].join("\n");
}

function small(x: number, y: number, text: string): string {
  return `<text x="${x}" y="${y}" font-size="18" fill="${colours.quiet}">${text}</text>`;
}

/** The grid; over masks also a veil on every patch that is not encoded, thinner on targets, and their outlines. */
function overlay(row: number, column: number, masks: MaskBatch | null): string {
  const lines = Array.from({ length: patches - 1 }, (_, i) => (i + 1) * cell);
  const grid = `<path d="${lines.map((x) => `M${x} 0V${side}M0 ${x}H${side}`).join("")}" stroke="#fff" stroke-opacity="0.16" fill="none"/>`;
  const inner = masks === null ? grid : maskedBy(masks, column, grid);
  return `<g transform="translate(${left(column)} ${top(row)})">${inner}</g>`;
}

function maskedBy(
  { lengths: { C, T, U }, contextIndex, targetIndex }: MaskBatch,
  column: number,
  grid: string,
): string {
  const context = new Set(contextIndex.subarray(column * C, (column + 1) * C));
  const targets = new Set(targetIndex.subarray(column * U, (column + 1) * U));
  const all = Array.from({ length: patches * patches }, (_, patch) => patch);
  const veil = (over: readonly number[], opacity: number): string =>
    `<path d="${over.map(square).join("")}" fill="${colours.card}" fill-opacity="${opacity}"/>`;
  const outlines = colours.targets.map((colour, block) => {
    const from = column * U + block * T;
    const inside = [...targetIndex.subarray(from, from + T)];
    const ys = inside.map((patch) => Math.floor(patch / patches));
    const xs = inside.map((patch) => patch % patches);
    const [y, x] = [Math.min(...ys), Math.min(...xs)];
    const [h, w] = [Math.max(...ys) - y + 1, Math.max(...xs) - x + 1];
    const box = `x="${x * cell}" y="${y * cell}" width="${w * cell}" height="${h * cell}" rx="3"`;
    return `<rect ${box} fill="${colour}" fill-opacity="0.1" stroke="${colour}" stroke-width="3"/>`;
  });
  return [
    veil(
      all.filter((patch) => !context.has(patch) && !targets.has(patch)),
      0.86,
    ),
    veil(
      all.filter((patch) => targets.has(patch)),
      0.52,
    ),
    grid,
    ...outlines,
  ].join("");
}

function square(patch: number): string {
  return `M${(patch % patches) * cell} ${Math.floor(patch / patches) * cell}h${cell}v${cell}h${-cell}z`;
}

function legend(): string {
  const y = top(rows.length - 1) + side + 44;
  const swatch = (x: number, fill: string, stroke: string): string =>
    `<rect x="${x}" y="${y - 17}" width="26" height="20" rx="3" fill="${fill}" fill-opacity="0.3" stroke="${stroke}" stroke-width="3"/>`;
  const [context, blocks] = [left(0) + 2, left(0) + 384];
  return [
    swatch(context, "#fff", "#d5dde6"),
    small(context + 40, y, "context: all that the encoder sees"),
    ...colours.targets.map((colour, i) => swatch(blocks + 36 * i, colour, colour)),
    small(blocks + 156, y, "targets: each is predicted on its own, from the context alone"),
  ].join("\n");
}
