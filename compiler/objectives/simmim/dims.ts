/** The named axes of SimMIM: those of visible and masked patches beside those of every model. */
import { type MaskDims, maskDims } from "../../model/masked";
import type { SimmimNumbers } from "./numbers";

/** The encoder sees the whole `sequence`. */
export type SimmimDims = MaskDims;

export const dimsOf = (n: SimmimNumbers): SimmimDims =>
  maskDims(n, "tokens of the encoder: those of visible patches and mask tokens");
