/** Patches that are masked at random, some of every image: how many of them, decided. */
import type { VisiblePlan } from "../../runtime/masks/plan";

export interface VisibleSettings {
  /** Patches a side. */
  readonly side: number;
  /** Share of the patches that are masked. */
  readonly ratio: number;
  /** Side of the squares of patches that are masked as one. */
  readonly unit: number;
}

/** How many squares of patches are seen of an image, of all of them; the number is rounded down, as in the papers' code. */
export function visibleSquares({ side, ratio, unit }: VisibleSettings): {
  readonly visible: number;
  readonly squares: number;
} {
  const squares = (side / unit) ** 2;
  // A ratio such as 0.9 is no binary fraction: 100 · (1 − 0.9) should be 10.
  return { visible: Math.floor(Number((squares * (1 - ratio)).toFixed(6))), squares };
}

export function visiblePlan(settings: VisibleSettings): VisiblePlan {
  const { side, unit } = settings;
  const { visible, squares } = visibleSquares(settings);
  const [contextTokens, targetTokens] = [visible * unit ** 2, (squares - visible) * unit ** 2];
  return {
    gridHeight: side,
    gridWidth: side,
    targetCount: 1,
    unit,
    programs: [{ contextTokens, targetTokens, probability: 1 }],
  };
}
