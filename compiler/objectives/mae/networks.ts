import { narrowNetwork } from "../../model/narrow-network";
import type { NetworkLayout } from "../../model/networks";
import type { MaeDims } from "./dims";
import type { MaeNumbers } from "./numbers";

/** Predicts pixels. */
export function decoderLayout(n: MaeNumbers, dims: MaeDims): NetworkLayout {
  return narrowNetwork({
    name: "decoder",
    type: "Decoder",
    dims: dims.decoder,
    depth: n.decoder.depth,
    inputs: dims.encoder.width,
    last: "pred",
    outputs: dims.values,
  });
}
