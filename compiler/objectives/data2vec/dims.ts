/** The named axes of data2vec: those of visible and masked patches beside those of every model. */
import type { Dim } from "../../ir/number";
import { type Dims, encoderDims, fixed, networkAxes, times } from "../../model/dims";
import { type MaskDims, maskDims } from "../../model/masked";
import type { Data2VecNumbers } from "./numbers";

/** The student sees the whole `sequence`. */
export interface Data2VecDims extends Dims, MaskDims {
  /** sets · images; the axis of images itself where there is one set of masks. */
  readonly rows: Dim;
}

export function dimsOf(n: Data2VecNumbers): Data2VecDims {
  const shared = encoderDims(n);
  const { images, patches, values, encoder, allTokens } = shared;
  const ofMasks = maskDims(n, "tokens of the student: those of visible patches and mask tokens");
  const { visible, masked, encoded, sequence } = ofMasks;
  const rows =
    n.sets === 1
      ? images
      : fixed("R", n.sets * n.images, `rows of the student: ${n.sets} sets of masks · images`, times(n.sets, images));
  return {
    ...shared,
    ...ofMasks,
    rows,
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
      ...(rows === images ? [] : [rows]),
    ],
  };
}
