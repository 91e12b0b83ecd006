/** What the text beside generated code says of data2vec. */
import type { Data2VecExperiment } from "../../../runtime/experiment";
import { setsOf } from "../../../runtime/masks/sets";
import { mostProbable } from "../../plan/programs";
import type { ProgramsText } from "../objective";
import { setsNote } from "../sets-note";

export const headline = ({ encoder, masks, classToken }: Data2VecExperiment): readonly string[] => {
  const { contextTokens, targetTokens } = mostProbable(masks);
  return [
    `${targetTokens} of ${contextTokens + targetTokens} patches masked in blocks${setsOf(masks) === 1 ? "" : `, ${setsOf(masks)} times`}`,
    `encoder ${encoder.depth}×${encoder.dim}${classToken ? " with a class token" : ""}`,
  ];
};

export const programs = ({ masks, classToken }: Data2VecExperiment): ProgramsText => {
  const { contextTokens: visible, targetTokens: masked } = mostProbable(masks);
  const tokens = visible + masked + (classToken ? 1 : 0);
  return {
    note: [
      "One program: as many patches are masked in every image, drawn as blocks.",
      ...(setsOf(masks) === 1 ? [] : [setsNote(setsOf(masks))]),
    ].join(" "),
    head: ["visible patches", "masked patches", "tokens of student and target encoder"],
    rows: [[visible, masked, tokens].map(String)],
  };
};
