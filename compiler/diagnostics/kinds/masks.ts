/** E33x what strategies of masking and targets ask for. */
import { kind } from "./kind";

export const maskErrors = {
  nothingLeft: kind(
    "E331",
    "What is no target is context: both have a patch at least.",
    (facts: { of: "target" | "context"; field: "scale" | "share"; patches: number }) => ({
      what: `of ${facts.patches} patches none is left for the ${facts.of}`,
      want: `a ${facts.of === "target" ? "larger" : "smaller"} ${facts.field}, or smaller patches`,
    }),
  ),
  noQuadrants: kind(
    "E332",
    "Rasterized masking cuts an image into four quadrants of whole patches.",
    (facts: { grid: number; nearest: readonly number[] }) => ({
      what: `a grid of ${facts.grid}×${facts.grid} patches has no quadrants`,
      found: `${facts.grid} patches a side`,
      want:
        facts.nearest.length > 0
          ? `an even number of patches a side: a patch of ${facts.nearest.join(" or ")}`
          : "an even number of patches a side",
    }),
  ),
  pixelsMaskedAtInput: kind("E333", "Pixels as targets come from no encoder that could be masked.", () => ({
    what: "there is no target encoder to mask",
    found: '"input", with targets.space "pixels"',
    want: '"output", or targets.space "representations"',
  })),
} as const;
