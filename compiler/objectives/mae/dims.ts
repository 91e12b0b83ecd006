/** The named axes of a masked autoencoder: those of visible and masked patches and of the decoder beside those of every model. */
import { type Dims, encoderDims, type NetworkDims, networkAxes, networkDims } from "../../model/dims";
import { type MaskDims, maskDims } from "../../model/masked";
import type { MaeNumbers } from "./numbers";

/** The encoder sees `encoded` tokens of an image, the decoder the whole `sequence`. */
export interface MaeDims extends Dims, MaskDims {
  readonly decoder: NetworkDims;
}

export function dimsOf(n: MaeNumbers): MaeDims {
  const shared = encoderDims(n);
  const { images, patches, values, encoder, allTokens } = shared;
  const decoder = networkDims("decoder", n.decoder, ["P", "P3", "PH", "PE", "PF"]);
  const ofMasks = maskDims(n, "tokens of the decoder: those of the encoder and mask tokens");
  const { visible, masked, encoded, sequence } = ofMasks;
  return {
    ...shared,
    ...ofMasks,
    decoder,
    lengths: [visible, masked],
    all: [
      images,
      patches,
      values,
      ...networkAxes(encoder),
      ...networkAxes(decoder),
      visible,
      masked,
      ...(n.classToken ? [allTokens, encoded] : []),
      sequence,
    ],
  };
}
