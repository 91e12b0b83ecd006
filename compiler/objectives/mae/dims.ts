/** The named axes of a masked autoencoder: those of visible and masked patches and of the decoder beside those of every model. */
import { type NetworkDims, networkDims } from "../../model/dims";
import { type MaskDims, maskDims } from "../../model/masked";
import type { MaeNumbers } from "./numbers";

/** The encoder sees `encoded` tokens of an image, the decoder the whole `sequence`. */
export interface MaeDims extends MaskDims {
  readonly decoder: NetworkDims;
}

export function dimsOf(n: MaeNumbers): MaeDims {
  const decoder = networkDims("decoder", n.decoder, ["P", "P3", "PH", "PE", "PF"]);
  return { ...maskDims(n, "tokens of the decoder: those of the encoder and mask tokens", decoder), decoder };
}
