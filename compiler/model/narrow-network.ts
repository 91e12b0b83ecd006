/** A narrow transformer with a mask token, between a layer into its width and one out of it: I-JEPA's predictor, MAE's decoder. */
import type { Dim } from "../ir/number";
import type { NetworkDims } from "./dims";
import { layers } from "./layers";
import { maskTokenLayer, type NetworkLayout } from "./networks";

export interface NarrowNetwork {
  /** The first name in the paths of its weights, and the prefix of its official names. */
  readonly name: string;
  readonly type: Capitalize<string>;
  readonly dims: NetworkDims;
  /** Blocks. */
  readonly depth: number;
  /** Width of the encoder, whose features it is handed. */
  readonly inputs: Dim;
  /** What the layer into its width makes of them; left out: `encoded -> embedded`. */
  readonly embed?: string;
  /** The last layer, and the width of what it predicts. */
  readonly last: string;
  readonly outputs: Dim;
}

export function narrowNetwork({
  name,
  type,
  dims,
  depth,
  inputs,
  embed = layers.embed,
  last,
  outputs,
}: NarrowNetwork): NetworkLayout {
  const { width } = dims;
  return {
    name,
    type,
    dims,
    depth,
    layers: [
      maskTokenLayer(width),
      { kind: "linear", name: "embed", official: `${name}_embed`, inputs, outputs: width, role: embed },
      { kind: "blocks", name: "blocks", official: `${name}_blocks` },
      { kind: "norm", name: "norm", official: `${name}_norm`, width, role: layers.predictorNorm },
      { kind: "linear", name: last, official: `${name}_${last}`, inputs: width, outputs, role: layers.proj },
    ],
  };
}
