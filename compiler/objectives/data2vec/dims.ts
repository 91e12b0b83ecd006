/** The named axes of data2vec: those of visible and masked patches beside those of every model. */
import type { Dim } from "../../ir/number";
import { fixed, times } from "../../model/dims";
import { type MaskDims, maskDims } from "../../model/masked";
import type { Data2VecNumbers } from "./numbers";

/** The student sees the whole `sequence`. */
export interface Data2VecDims extends MaskDims {
  /** sets · images; the axis of images itself where there is one set of masks. */
  readonly rows: Dim;
}

export function dimsOf(n: Data2VecNumbers): Data2VecDims {
  const shared = maskDims(n, "tokens of the student: those of visible patches and mask tokens");
  const { images, all } = shared;
  if (n.sets === 1) return { ...shared, rows: images };
  const counts = `rows of the student: ${n.sets} sets of masks · images`;
  const rows = fixed("R", n.sets * n.images, counts, times(n.sets, images));
  return { ...shared, rows, all: [...all, rows] };
}
