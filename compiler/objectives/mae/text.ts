/** What the text beside generated code says of a masked autoencoder. */
import type { MaeExperiment } from "../../../runtime/experiment";
import { mostProbable } from "../../plan/programs";
import type { ProgramsText } from "../objective";

const patchesOf = ({ masks }: MaeExperiment): readonly [visible: number, masked: number] => {
  const { contextTokens, targetTokens } = mostProbable(masks);
  return [contextTokens, targetTokens];
};

export const headline = (experiment: MaeExperiment): readonly string[] => {
  const { encoder, decoder, classToken } = experiment;
  const [visible, masked] = patchesOf(experiment);
  return [
    `${masked} of ${visible + masked} patches masked`,
    `encoder ${encoder.depth}×${encoder.dim}${classToken ? " with a class token" : ""}`,
    `decoder ${decoder.depth}×${decoder.dim}`,
  ];
};

export const programs = (experiment: MaeExperiment): ProgramsText => {
  const [visible, masked] = patchesOf(experiment);
  const tokens = experiment.classToken ? 1 : 0;
  return {
    note: "One program: as many patches are masked in every image, drawn at random.",
    head: ["visible patches", "masked patches", "tokens of the encoder", "tokens of the decoder"],
    rows: [[visible, masked, tokens + visible, tokens + visible + masked].map(String)],
  };
};
