/** The named axes of a masked autoencoder: those of visible and masked patches and of the decoder beside those of every model. */
import type { Dim } from "../../ir/number";
import {
  type Dims,
  encoderDims,
  fixed,
  type NetworkDims,
  networkAxes,
  networkDims,
  withClassToken,
} from "../../model/dims";
import type { MaeNumbers } from "./numbers";

export interface MaeDims extends Dims {
  readonly decoder: NetworkDims;
  readonly visible: Dim;
  readonly masked: Dim;
  /** What the encoder sees of an image: its visible patches, and the class token before them where there is one. */
  readonly encoded: Dim;
  /** What the decoder sees of it: that, and a mask token for every masked patch. */
  readonly sequence: Dim;
}

export function dimsOf(n: MaeNumbers): MaeDims {
  const shared = encoderDims(n);
  const { images, patches, values, encoder, allTokens } = shared;
  const decoder = networkDims("decoder", n.decoder, ["P", "P3", "PH", "PE", "PF"]);
  const visible = fixed("C", n.visible, "visible patches of an image");
  const masked = fixed("T", n.masked, "masked patches of an image");
  const encoded = n.classToken ? withClassToken("CE", visible, "the class token and the visible patches") : visible;
  const sequence = fixed(
    "S",
    encoded.size + masked.size,
    "tokens of the decoder: those of the encoder and mask tokens",
    {
      how: "sum",
      of: [encoded, masked],
    },
  );
  return {
    ...shared,
    decoder,
    visible,
    masked,
    encoded,
    sequence,
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
