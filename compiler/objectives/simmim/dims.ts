/** The named axes of SimMIM: those of visible and masked patches beside those of every model. */
import { type Dims, encoderDims, networkAxes } from "../../model/dims";
import { type MaskDims, maskDims } from "../../model/masked";
import type { SimmimNumbers } from "./numbers";

/** The encoder sees the whole `sequence`. */
export type SimmimDims = Dims & MaskDims;

export function dimsOf(n: SimmimNumbers): SimmimDims {
  const shared = encoderDims(n);
  const { images, patches, values, encoder, allTokens } = shared;
  const ofMasks = maskDims(n, "tokens of the encoder: those of visible patches and mask tokens");
  const { visible, masked, encoded, sequence } = ofMasks;
  return {
    ...shared,
    ...ofMasks,
    lengths: [visible, masked],
    all: [
      images,
      patches,
      values,
      ...networkAxes(encoder),
      visible,
      masked,
      ...(n.classToken ? [allTokens, encoded] : []),
      sequence,
    ],
  };
}
