/** The predictor: a narrow transformer with a mask token, between two layers that change the width. */
import { layers } from "../../model/layers";
import type { NetworkLayout } from "../../model/networks";
import type { IJepaDims } from "./dims";
import type { IJepaNumbers } from "./numbers";

/** The width of what is predicted. */
export const outputWidth = (n: IJepaNumbers, dims: IJepaDims) =>
  n.targetSpace === "pixels" ? dims.values : dims.encoder.width;

export function predictorLayout(n: IJepaNumbers, dims: IJepaDims): NetworkLayout {
  const { width } = dims.predictor;
  return {
    name: "predictor",
    type: "Predictor",
    dims: dims.predictor,
    depth: n.predictor.depth,
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
        official: "predictor_embed",
        inputs: dims.encoder.width,
        outputs: width,
        role: layers.embed,
      },
      { kind: "blocks", name: "blocks", official: "predictor_blocks" },
      { kind: "norm", name: "norm", official: "predictor_norm", width, role: layers.predictorNorm },
      {
        kind: "linear",
        name: "proj",
        official: "predictor_proj",
        inputs: width,
        outputs: outputWidth(n, dims),
        role: layers.proj,
      },
    ],
  };
}
