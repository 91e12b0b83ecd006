/** Rules of the masks: every block that can be drawn is one that training can use (reference.md §1.5). */
import { enumerateSizes, type Size } from "../../runtime/masks/blocks";
import { errors } from "../diagnostics/catalogue";
import type { Rule } from "./rule";
import type { Spec } from "./spec";

/** More patches than this can not be enumerated in a moment, and nothing could train on them. */
const mostPatches = 16384;

export const maskRules: readonly Rule[] = [
  {
    name: "the grid is not too fine",
    reads: ["image.size", "encoder.patch"],
    check: ({ spec }) => {
      const patches = gridSide(spec) ** 2;
      if (patches <= mostPatches) return [];
      return [{ path: ["encoder", "patch"], problem: errors.tooManyPatches({ patches, most: mostPatches }) }];
    },
  },
  {
    name: "every target block has more than minKeep patches",
    reads: ["image.size", "encoder.patch", "masking.sampler", "masking.minKeep", "masking.targets"],
    check: ({ spec }) => {
      const { minKeep } = spec.masking;
      const grid = gridSide(spec);
      const [smallest] = targetSizes(spec);
      if (smallest === undefined || area(smallest) > minKeep) return [];
      return [
        { path: ["masking", "targets", "scale"], problem: errors.targetBlockTooSmall({ ...smallest, grid, minKeep }) },
      ];
    },
  },
  {
    name: "every context block has more than minKeep patches",
    reads: ["image.size", "encoder.patch", "masking.sampler", "masking.minKeep", "masking.context.scale"],
    check: ({ spec }) => {
      const { minKeep } = spec.masking;
      const grid = gridSide(spec);
      const [smallest] = contextSizes(spec);
      if (smallest === undefined || area(smallest) > minKeep) return [];
      return [
        { path: ["masking", "context", "scale"], problem: errors.contextBlockTooSmall({ ...smallest, grid, minKeep }) },
      ];
    },
  },
  {
    name: "the context can keep its tokens",
    reads: ["image.size", "encoder.patch", "masking"],
    check: ({ spec }) => {
      const { tokens } = spec.masking.context;
      const [context] = contextSizes(spec);
      const target = targetSizes(spec).at(-1);
      if (tokens === "auto" || context === undefined || target === undefined) return [];
      const shared = spec.masking.allowOverlap ? 0 : leastOverlap(context, target, reach(spec));
      const most = area(context) - shared;
      if (tokens <= most) return [];
      const problem = errors.contextTokensTooMany({
        tokens,
        most,
        block: sizeText(context),
        target: shared === 0 ? null : sizeText(target),
      });
      return [{ path: ["masking", "context", "tokens"], problem }];
    },
  },
];

function gridSide({ image, encoder }: Spec): number {
  return Math.floor(image.size / encoder.patch);
}

/** Patches on a side that blocks can reach: the reference never takes the last row and column (reference.md §1.4). */
function reach(spec: Spec): number {
  return gridSide(spec) - (spec.masking.sampler === "reference" ? 1 : 0);
}

/** Every size of target block, smallest first. */
function targetSizes(spec: Spec): readonly Size[] {
  return sizes(spec, spec.masking.targets.scale, spec.masking.targets.aspect);
}

/** Every size of context block, smallest first. */
function contextSizes(spec: Spec): readonly Size[] {
  return sizes(spec, spec.masking.context.scale, [1, 1]);
}

function sizes(spec: Spec, scale: readonly [number, number], aspect: readonly [number, number]): readonly Size[] {
  const side = gridSide(spec);
  const shared = spec.masking.sampler === "reference";
  // A grid that another rule rejects has no blocks worth telling of.
  if (side < 2 || side ** 2 > mostPatches || scale[0] > scale[1] || aspect[0] > aspect[1]) return [];
  return enumerateSizes({ grid: { height: side, width: side }, scale, aspect, maySpan: !shared }, { shared });
}

function area({ height, width }: Size): number {
  return height * width;
}

function sizeText({ height, width }: Size): string {
  return `${height}×${width}`;
}

/** Patches that two blocks share at the least, wherever they lie within a square of `side`. */
function leastOverlap(a: Size, b: Size, side: number): number {
  const rows = Math.max(0, a.height + b.height - side);
  const columns = Math.max(0, a.width + b.width - side);
  return rows * columns;
}
