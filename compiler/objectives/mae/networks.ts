/** The decoder: a narrow transformer with a mask token, between a layer into its width and one to pixels. */
import { layers } from "../../model/layers";
import type { NetworkLayout } from "../../model/networks";
import type { MaeDims } from "./dims";
import type { MaeNumbers } from "./numbers";

export function decoderLayout(n: MaeNumbers, dims: MaeDims): NetworkLayout {
  const { width } = dims.decoder;
  return {
    name: "decoder",
    type: "Decoder",
    dims: dims.decoder,
    depth: n.decoder.depth,
    layers: [
      {
        kind: "token",
        name: "maskToken",
        official: "mask_token",
        width,
        role: layers.maskToken,
        what: "the mask token",
      },
      {
        kind: "linear",
        name: "embed",
        official: "decoder_embed",
        inputs: dims.encoder.width,
        outputs: width,
        role: layers.embed,
      },
      { kind: "blocks", name: "blocks", official: "decoder_blocks" },
      { kind: "norm", name: "norm", official: "decoder_norm", width, role: layers.predictorNorm },
      {
        kind: "linear",
        name: "pred",
        official: "decoder_pred",
        inputs: width,
        outputs: dims.values,
        role: layers.proj,
      },
    ],
  };
}
