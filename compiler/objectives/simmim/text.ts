/** What the text beside generated code says of SimMIM. */
import type { SimmimExperiment } from "../../../runtime/experiment";
import { mostProbable } from "../../plan/programs";
import type { ProgramsText } from "../objective";

const patchesOf = ({ masks }: SimmimExperiment): readonly [visible: number, masked: number] => {
  const { contextTokens, targetTokens } = mostProbable(masks);
  return [contextTokens, targetTokens];
};

export const headline = (experiment: SimmimExperiment): readonly string[] => {
  const { encoder, classToken, masks } = experiment;
  const [visible, masked] = patchesOf(experiment);
  const inSquares = masks.unit === 1 ? "" : ` in squares of ${masks.unit}×${masks.unit}`;
  return [
    `${masked} of ${visible + masked} patches masked${inSquares}`,
    `encoder ${encoder.depth}×${encoder.dim}${classToken ? " with a class token" : ""}`,
    "a linear head",
  ];
};

export const programs = (experiment: SimmimExperiment): ProgramsText => {
  const [visible, masked] = patchesOf(experiment);
  const tokens = experiment.classToken ? 1 : 0;
  return {
    note: "One program: as many patches are masked in every image, drawn at random.",
    head: ["visible patches", "masked patches", "tokens of the encoder"],
    rows: [[visible, masked, tokens + visible + masked].map(String)],
  };
};
