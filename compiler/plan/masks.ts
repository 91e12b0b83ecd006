/** The mask plan: every block size that can occur, the tokens kept for each, and the programs that follow. */
import type { MaskPlan, Program, TargetSize } from "../../runtime/experiment";
import { areaOf, enumerateSizes, type Grid, type Range, type WeightedSize } from "../../runtime/masks/blocks";
import { expectedContextTokens } from "./context-tokens";

/** What a spec says about masks, on a grid of patches. */
export interface MaskSettings {
  readonly grid: Grid;
  readonly sampler: MaskPlan["sampler"];
  readonly targets: { readonly count: number; readonly scale: Range; readonly aspect: Range };
  readonly context: {
    readonly count: number;
    readonly scale: Range;
    /** Tokens kept of every context; "auto" = the mean that the reference keeps at this batch size. */
    readonly tokens: "auto" | number;
  };
  readonly minKeep: number;
  readonly allowOverlap: boolean;
  /** Images of one run of the step on one device: the reference cuts masks to the shortest of these. */
  readonly deviceBatch: number;
}

export interface MaskSizes {
  readonly targets: WeightedSize[];
  readonly contexts: WeightedSize[];
}

/** Every target and context size with its probability. The reference draws both sides from one uniform number. */
export function maskSizes({ grid, sampler, targets, context }: Omit<MaskSettings, "deviceBatch">): MaskSizes {
  const shared = sampler === "reference";
  const sizes = (scale: Range, aspect: Range): WeightedSize[] =>
    enumerateSizes({ grid, scale, aspect, maySpan: !shared }, { shared });
  return { targets: sizes(targets.scale, targets.aspect), contexts: sizes(context.scale, [1, 1]) };
}

/** The plan of legal settings (see `maskPlanProblems`). */
export function buildMaskPlan(settings: MaskSettings): MaskPlan {
  const { grid, sampler, targets, context, minKeep, allowOverlap } = settings;
  const sizes = maskSizes(settings);
  const programs: Program[] = [...contextTokensByArea(settings, sizes)].map(([targetTokens, contextTokens]) => ({
    contextTokens,
    targetTokens,
    probability: sum(sizes.targets.filter((size) => areaOf(size) === targetTokens).map((size) => size.probability)),
  }));
  return {
    gridHeight: grid.height,
    gridWidth: grid.width,
    sampler,
    targetCount: targets.count,
    targetScale: targets.scale,
    targetAspect: targets.aspect,
    contextCount: context.count,
    contextScale: context.scale,
    minKeep,
    allowOverlap,
    sizes: sizes.targets.map((size): TargetSize => {
      const program = programs.findIndex(({ targetTokens }) => targetTokens === areaOf(size));
      return { ...size, contextTokens: programs[program]?.contextTokens ?? 0, program };
    }),
    contextSizes: sizes.contexts,
    programs,
  };
}

/** Context tokens for every number of target tokens, ascending. Blocks of equal area share a program. */
function contextTokensByArea(settings: MaskSettings, { targets, contexts }: MaskSizes): Map<number, number> {
  const { tokens } = settings.context;
  const areas = [...new Set(targets.map(areaOf))];
  if (tokens !== "auto") return new Map(areas.map((area) => [area, tokens]));
  const expected = expectedContextTokens(settings, { targets, contexts });
  return new Map(
    areas.map((area) => {
      const members = targets
        .map((size, i) => ({ size, mean: expected[i] ?? 0 }))
        .filter(({ size }) => areaOf(size) === area);
      const share = sum(members.map(({ size }) => size.probability));
      const mean = sum(members.map(({ size, mean }) => size.probability * mean)) / share;
      return [area, Math.max(1, Math.round(mean))];
    }),
  );
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
