/** Block masking: every size of the one target block, and the rest of the image as context. */
import { areaOf, enumerateSizes, type WeightedSize } from "../../../runtime/masks/blocks";
import type { BlockSettings } from "../settings";
import type { Strategy } from "./strategy";

/** A block may be as high or as wide as the grid. Blocks of equal area share a program. */
const sizesOf = ({ grid, targets }: BlockSettings): WeightedSize[] =>
  enumerateSizes({ grid, ...targets, maySpan: true }, { shared: false });

export const block: Strategy<"block"> = {
  plan: (settings) => {
    const { grid } = settings;
    const sizes = sizesOf(settings);
    const areas = [...new Set(sizes.map(areaOf))];
    const contextTokensOf = (area: number): number => grid.height * grid.width - area;
    return {
      strategy: "block",
      gridHeight: grid.height,
      gridWidth: grid.width,
      targetCount: 1,
      contextCount: 1,
      sizes: sizes.map((size) => ({
        ...size,
        contextTokens: contextTokensOf(areaOf(size)),
        program: areas.indexOf(areaOf(size)),
      })),
      programs: areas.map((area) => ({
        contextTokens: contextTokensOf(area),
        targetTokens: area,
        probability: sizes
          .filter((size) => areaOf(size) === area)
          .reduce((sum, { probability }) => sum + probability, 0),
      })),
    };
  },

  problems: (settings) => {
    const { grid } = settings;
    const areas = sizesOf(settings).map(areaOf);
    const empty = (of: "target" | "context") => [{ kind: "nothing left", of, field: "scale" }] as const;
    if (Math.min(...areas) === 0) return empty("target");
    return Math.max(...areas) === grid.height * grid.width ? empty("context") : [];
  },
};
