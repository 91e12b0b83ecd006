/** Rasterized masking: four quadrants of equal size. */
import type { Strategy } from "./strategy";

export const rasterized: Strategy<"rasterized"> = {
  plan: ({ grid }) => {
    const quadrant = (grid.height / 2) * (grid.width / 2);
    return {
      strategy: "rasterized",
      gridHeight: grid.height,
      gridWidth: grid.width,
      targetCount: 3,
      contextCount: 1,
      programs: [{ contextTokens: quadrant, targetTokens: quadrant, probability: 1 }],
    };
  },

  problems: ({ grid }) => (grid.height % 2 === 0 && grid.width % 2 === 0 ? [] : [{ kind: "no quadrants" }]),
};
