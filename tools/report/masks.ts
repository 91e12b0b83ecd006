/** Masks as a trainer draws them: one picture for each program, and how often each patch is context or target. */
import { patchCoverage } from "../../compiler/plan/mask-coverage";
import { openLabelledImages, usableOf } from "../../runtime/data/labelled";
import { UserError } from "../../runtime/errors";
import type { Experiment, RuntimeObjective } from "../../runtime/experiment";
import type { MaskPlan } from "../../runtime/masks/plan";
import { type MaskBatch, programOfStep, sampleSet, targetOfStep } from "../../runtime/masks/sampler";
import { setsOf } from "../../runtime/masks/sets";
import { objectives } from "../../runtime/objectives";
import type { Figure, Section } from "./section";
import { type Grid, gridLines, squares, svg, text } from "./svg";
import { type Thumbnails, thumbnailsOf } from "./thumbnails";

export interface MaskSectionOptions {
  readonly experiment: Experiment;
  /** Folder that relative data paths start from. */
  readonly root: string;
  /** Keeps sections of several runs apart. */
  readonly id: string;
  /** Added to the title where there are several. */
  readonly of: string | null;
}

const images = 4;
const side = 120;
const gap = 8;
/** Steps that are looked through for one of each program, and over which coverage is counted, 8 images each. */
const searchedSteps = 4096;
const coverageSteps = 256;
/** Programs that are drawn: the most frequent. */
const mostPrograms = 6;

export async function maskSection({ experiment, root, id, of }: MaskSectionOptions): Promise<Section> {
  const { thumbnails, why } = await trainImages(experiment, root, id);
  const over = why === null ? [] : [`Over no images: ${why}`];
  const title = of === null ? "Masks" : `Masks: ${of}`;
  const { masks: plan, seed } = experiment;
  if (!("strategy" in plan)) return { title, ...visibleMasks(experiment, thumbnails, over) };
  const order = plan.programs
    .map((program, index) => ({ program, index }))
    .sort((a, b) => b.program.probability - a.program.probability)
    .slice(0, mostPrograms);
  const figures = order.flatMap(({ program, index }): readonly Figure[] => {
    const step = stepOf(plan, seed, index);
    if (step === null) return [];
    const batch = sampleSet(plan, { seed, step, images, firstImage: 0 });
    const caption =
      `${program.contextTokens} context patches, ${targetsText(plan, targetOfStep(plan, { seed, step }))}: ` +
      `${(100 * program.probability).toFixed(1)} % of steps`;
    return [{ caption, isWide: false, markup: batchPicture(plan, batch, thumbnails, caption) }];
  });
  const coverage = patchCoverage(plan, { seed, steps: coverageSteps });
  const drawnFirst = [
    ...(setsOf(plan) === 1 ? [] : [`Of the ${setsOf(plan)} sets of masks of an image the first is drawn.`]),
    ...(plan.contextCount === 1 ? [] : ["Of several contexts the first is drawn."]),
  ];
  const more = plan.programs.length - order.length;
  return {
    title,
    notes: [
      `Drawn by ${plan.strategy === "multiblock" ? `the ${plan.sampler} sampler` : `${plan.strategy} masking`} with seed ${seed}, as the trainer does: clear is what the context encoder sees, the ` +
        "coloured blocks are predicted from it, and what is veiled is neither.",
      ...(more > 0 ? [`${more} rarer programs are not drawn.`] : []),
      ...drawnFirst,
      ...over,
    ],
    definitions: thumbnails?.definitions ?? "",
    figures: [
      ...figures,
      ...(["context", "target"] as const).map((what) => coverageFigure(plan, coverage[what], what)),
    ],
  };
}

/** Some patches are seen, and all others are predicted: one program. */
function visibleMasks(
  experiment: Experiment,
  thumbnails: Thumbnails | null,
  over: readonly string[],
): Omit<Section, "title"> {
  const { masks: plan, seed, optimizer } = experiment;
  const objective: RuntimeObjective = objectives[experiment.objective];
  const small = { ...experiment, optimizer: { ...optimizer, deviceBatch: images } };
  const { lengths, batch } = objective.batch(small, { step: 0, firstImage: 0 });
  const masked = batch[objective.masks.predicted.leaf];
  if (!(masked instanceof Int32Array)) throw new Error("internal: a mask of other numbers than int32");
  const { C, T } = lengths;
  const caption = `${C} ${objective.masks.seen.name} and ${T} ${objective.masks.predicted.name} patches, in every image`;
  const grid: Grid = { rows: plan.gridHeight, columns: plan.gridWidth };
  const cell = side / Math.max(grid.rows, grid.columns);
  const veiled = (image: number): string =>
    `<path class="veil" d="${squares([...masked.subarray(image * T, (image + 1) * T)], grid, cell)}"/>${gridLines(grid, cell)}`;
  return {
    notes: [
      `Drawn with seed ${seed}, as the trainer does: clear are the ${C} patches that the encoder sees, and ` +
        "the veiled ones are predicted from them.",
      ...over,
    ],
    definitions: thumbnails?.definitions ?? "",
    figures: [{ caption, isWide: false, markup: batchOf(thumbnails, caption, veiled) }],
  };
}

async function trainImages(
  experiment: Experiment,
  root: string,
  id: string,
): Promise<{ readonly thumbnails: Thumbnails | null; readonly why: string | null }> {
  try {
    const found = await usableOf(await openLabelledImages({ experiment, root, split: "train", limit: images }));
    const numbers = Array.from({ length: Math.min(images, found.count) }, (_, i) => i);
    return { thumbnails: await thumbnailsOf(found, { image: experiment.image, numbers, id }), why: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { thumbnails: null, why: `${error.code}: ${error.message}` };
  }
}

const targetsText = ({ targetCount }: MaskPlan, each: string): string =>
  targetCount === 1 ? `one target of ${each}` : `${targetCount} targets of ${each}`;

/** The first step that runs a program; null where it is too rare to be met. */
function stepOf(plan: MaskPlan, seed: number, program: number): number | null {
  for (let step = 0; step < searchedSteps; step++) {
    if (programOfStep(plan, { seed, step }) === program) return step;
  }
  return null;
}

const batchPicture = (plan: MaskPlan, batch: MaskBatch, thumbnails: Thumbnails | null, label: string): string =>
  batchOf(thumbnails, label, (image) => overlay(plan, batch, image));

/** Four images, each under what is drawn over it. */
function batchOf(thumbnails: Thumbnails | null, label: string, over: (image: number) => string): string {
  const cells = Array.from({ length: images }, (_, i) => {
    const shown =
      thumbnails === null || thumbnails.count === 0
        ? ""
        : thumbnails.draw(i % thumbnails.count, { x: 0, y: 0, size: side });
    const ground = shown === "" ? `<rect class="blank" width="${side}" height="${side}"/>` : shown;
    return `<g transform="translate(${(i % 2) * (side + gap)} ${Math.floor(i / 2) * (side + gap)})">${ground}${over(i)}</g>`;
  });
  const size = 2 * side + gap;
  return svg({ width: size, height: size, label }, cells.join(""));
}

/** Drawn in patches and scaled to the square of an image, whatever its grid is. */
function overlay(
  plan: MaskPlan,
  { lengths: { C, T, U }, contextIndex, targetIndex }: MaskBatch,
  image: number,
): string {
  const grid: Grid = { rows: plan.gridHeight, columns: plan.gridWidth };
  const cell = side / Math.max(grid.rows, grid.columns);
  const context = new Set(contextIndex.subarray(image * C, (image + 1) * C));
  const targets = targetIndex.subarray(image * U, (image + 1) * U);
  const target = new Set(targets);
  const all = Array.from({ length: grid.rows * grid.columns }, (_, patch) => patch);
  const hidden = all.filter((patch) => !context.has(patch) && !target.has(patch));
  const predicted = all.filter((patch) => target.has(patch) && !context.has(patch));
  const blocks = Array.from({ length: plan.targetCount }, (_, block) => {
    const inside = targets.subarray(block * T, (block + 1) * T);
    const [ys, xs] = [
      [...inside].map((patch) => Math.floor(patch / grid.columns)),
      [...inside].map((patch) => patch % grid.columns),
    ];
    const [y, x] = [Math.min(...ys), Math.min(...xs)];
    const [h, w] = [Math.max(...ys) - y + 1, Math.max(...xs) - x + 1];
    const box = `x="${x * cell + 1}" y="${y * cell + 1}" width="${w * cell - 2}" height="${h * cell - 2}"`;
    return `<rect class="target target-${block % 4}" ${box} rx="2"/>`;
  });
  return [
    `<path class="veil" d="${squares(hidden, grid, cell)}"/>`,
    `<path class="veil thin" d="${squares(predicted, grid, cell)}"/>`,
    gridLines(grid, cell),
    ...blocks,
  ].join("");
}

function coverageFigure(plan: MaskPlan, shares: ArrayLike<number>, what: "context" | "target"): Figure {
  const grid: Grid = { rows: plan.gridHeight, columns: plan.gridWidth };
  const size = 2 * side + gap;
  const cell = size / Math.max(grid.rows, grid.columns);
  const values = Array.from(shares);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const percent = (share: number): string => String(Number((100 * share).toFixed(share < 0.1 ? 1 : 0)));
  const cells = values.map((share, patch) => {
    const [x, y] = [(patch % grid.columns) * cell, Math.floor(patch / grid.columns) * cell];
    const opacity = most === 0 ? 0 : 0.08 + 0.72 * (share / most);
    const square = `<rect class="heat" x="${x.toFixed(2)}" y="${y.toFixed(2)}" width="${cell.toFixed(2)}" height="${cell.toFixed(2)}" fill-opacity="${opacity.toFixed(3)}"/>`;
    return cell < 24 ? square : square + text(x + cell / 2, y + cell / 2 + 4, percent(share), "middle");
  });
  const caption = `How often a patch is ${what}: ${percent(least)} to ${percent(most)} % of ${coverageSteps * 8} images`;
  return { caption, isWide: false, markup: svg({ width: size, height: size, label: caption }, cells.join("")) };
}
