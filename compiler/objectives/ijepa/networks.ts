import { narrowNetwork } from "../../model/narrow-network";
import type { NetworkLayout } from "../../model/networks";
import type { IJepaDims } from "./dims";
import type { IJepaNumbers } from "./numbers";
import { contextEmbedding } from "./regularizer";

/** Predicts what the target encoder gives, or pixels. */
export function predictorLayout(n: IJepaNumbers, dims: IJepaDims): NetworkLayout {
  return narrowNetwork({
    name: "predictor",
    type: "Predictor",
    dims: dims.predictor,
    depth: n.predictor.depth,
    inputs: dims.encoder.width,
    embed: contextEmbedding(n),
    last: "proj",
    outputs: n.targetSpace === "pixels" ? dims.values : dims.encoder.width,
  });
}
