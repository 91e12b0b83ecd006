/** The mask plan: every block size that can occur, the tokens kept for each, and the programs that follow. */
import type { MaskPlan, Program, TargetSize } from "../../runtime/experiment";
import { areaOf } from "../../runtime/masks/blocks";
import { expectedContextTokens } from "../masks/context-tokens";
import { type MaskSettings, type MaskSizes, maskSizes } from "../masks/settings";

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
    contextCount: context.count,
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
