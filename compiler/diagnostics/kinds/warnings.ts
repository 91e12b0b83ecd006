/** W3xx what is probably not meant, but can be trained. */
import { imageEndingsText } from "../../../runtime/data/image-format";
import { type MemoryShortage, shortageText } from "../../../runtime/step/memory";
import { warning } from "./kind";

export const warningKinds = {
  contextLikeTargets: warning(
    "W301",
    "The context block is no larger than a target block, so little or nothing is left to predict from.",
    (facts: { target: number; context: number }) => ({
      what: "the context block is no larger than a target block",
      found: `at most ${facts.context} patches, targets of up to ${facts.target}`,
      want: "a context scale above the targets' (released: 0.85 to 1 beside 0.15 to 0.2)",
    }),
  ),
  targetOfOnePlace: warning(
    "W302",
    "A target block fills the grid but for a margin, so that it always lies in the same place.",
    (facts: { height: number; width: number; grid: number; sampler: string }) => ({
      what: `a target block of ${facts.height}×${facts.width} on a grid of ${facts.grid}×${facts.grid} patches has one place`,
      want: "a smaller target scale, or smaller patches",
      ...(facts.sampler === "reference" && {
        hint: "The reference sampler never reaches the last row and column; `unbiased` does.",
      }),
    }),
  ),
  imagesSkipped: warning(
    "W303",
    "The folder holds images of kinds that the trainer does not read.",
    (facts: { folder: string; skipped: readonly (readonly [ending: string, count: number])[] }) => ({
      what: `files in ${facts.folder} are skipped`,
      found: facts.skipped.map(([ending, count]) => `${count} ${ending}`).join(", "),
      want: imageEndingsText,
    }),
  ),
  memoryTooSmall: warning(
    "W304",
    "The step is estimated to take more memory than this machine has.",
    (shortage: MemoryShortage) => shortageText(shortage),
  ),
} as const;
