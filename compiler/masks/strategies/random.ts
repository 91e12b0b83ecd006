/** Random masking: one number of patches for every image. */
import type { RandomSettings } from "../settings";
import type { Strategy } from "./strategy";

/** The share of the patches, rounded to whole ones. */
const targetTokensOf = ({ grid, targets: { share } }: RandomSettings): number =>
  Math.round(share * grid.height * grid.width);

export const random: Strategy<"random"> = {
  plan: (settings) => {
    const { grid } = settings;
    const targetTokens = targetTokensOf(settings);
    return {
      strategy: "random",
      gridHeight: grid.height,
      gridWidth: grid.width,
      targetCount: 1,
      contextCount: 1,
      programs: [{ contextTokens: grid.height * grid.width - targetTokens, targetTokens, probability: 1 }],
    };
  },

  problems: (settings) => {
    const targetTokens = targetTokensOf(settings);
    const { grid } = settings;
    if (targetTokens > 0 && targetTokens < grid.height * grid.width) return [];
    return [{ kind: "nothing left", of: targetTokens === 0 ? "target" : "context", field: "share" }];
  },
};
