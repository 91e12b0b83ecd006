/** What the text beside generated code says of I-JEPA. */
import type { Experiment } from "../../../runtime/experiment";
import type { ProgramsText } from "../objective";

export const headline = ({ encoder, predictor, masks }: Experiment): readonly string[] => [
  `${masks.targetCount} targets`,
  `encoder ${encoder.depth}×${encoder.dim}`,
  `predictor ${predictor.depth}×${predictor.dim}`,
];

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

export const programs = ({ masks }: Experiment): ProgramsText => ({
  note: "One program for every number of target tokens; the context is cut to the same number of tokens for all images.",
  head: ["target blocks (height × width)", "target tokens", "context tokens", "share of the steps"],
  rows: masks.programs.map(({ targetTokens, contextTokens, probability }, i) => [
    masks.sizes
      .filter((size) => size.program === i)
      .map((size) => `${size.height}×${size.width} ${percent(size.probability)}`)
      .join(", "),
    String(targetTokens),
    String(contextTokens),
    percent(probability),
  ]),
});
