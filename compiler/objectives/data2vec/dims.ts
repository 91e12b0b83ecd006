/** The named axes of data2vec: those of visible and masked patches beside those of every model. */
import { type Dims, encoderDims, networkAxes } from "../../model/dims";
import { type MaskDims, maskDims } from "../../model/masked";
import type { Data2VecNumbers } from "./numbers";

/** The student sees the whole `sequence`. */
export type Data2VecDims = Dims & MaskDims;

export function dimsOf(n: Data2VecNumbers): Data2VecDims {
  const shared = encoderDims(n);
  const { images, patches, values, encoder, allTokens } = shared;
  const ofMasks = maskDims(n, "tokens of the student: those of visible patches and mask tokens");
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
