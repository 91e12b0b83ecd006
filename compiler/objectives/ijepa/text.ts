/** What the text beside generated code says of I-JEPA. */
import type { IJepaExperiment } from "../../../runtime/experiment";
import type { MaskPlan, MaskStrategy } from "../../../runtime/masks/plan";
import { setsOf } from "../../../runtime/masks/sets";
import type { ProgramsText } from "../objective";
import { setsNote } from "../sets-note";

export const headline = ({ encoder, predictor, masks, regularizer }: IJepaExperiment): readonly string[] => [
  `${masks.targetCount} targets${setsOf(masks) === 1 ? "" : ` in each of ${setsOf(masks)} sets`}`,
  `encoder ${encoder.depth}×${encoder.dim}`,
  `predictor ${predictor.depth}×${predictor.dim}`,
  ...(regularizer === undefined ? [] : [regularizer.name]),
];

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

const notes: { readonly [S in MaskStrategy]: string } = {
  multiblock:
    "One program for every number of target tokens; the context is cut to the same number of tokens for all images.",
  block: "One program for every number of target tokens; the context is everything else.",
  random: "One program: as many targets in every image, and the context is everything else.",
  rasterized: "One program: the context is one quadrant of the image, and the targets are the three others.",
};

const targetsHead: { readonly [S in MaskStrategy]: string } = {
  multiblock: "target blocks (height × width)",
  block: "target block (height × width)",
  random: "target",
  rasterized: "target quadrants (height × width)",
};

/** The sizes of targets of a program, with their share of the steps where there are several. */
function targetsOf(masks: MaskPlan, program: number): string {
  if (masks.strategy === "random") return "patches from anywhere";
  if (masks.strategy === "rasterized") return `${masks.gridHeight / 2}×${masks.gridWidth / 2}`;
  return masks.sizes
    .filter((size) => size.program === program)
    .map((size) => `${size.height}×${size.width} ${percent(size.probability)}`)
    .join(", ");
}

export const programs = ({ masks }: IJepaExperiment): ProgramsText => ({
  note: [notes[masks.strategy], ...(setsOf(masks) === 1 ? [] : [setsNote(setsOf(masks))])].join(" "),
  head: [targetsHead[masks.strategy], "target tokens", "context tokens", "share of the steps"],
  rows: masks.programs.map(({ targetTokens, contextTokens, probability }, i) => [
    targetsOf(masks, i),
    String(targetTokens),
    String(contextTokens),
    percent(probability),
  ]),
});
