/** A head: one linear layer behind the encoder, which training throws away. */

import type { Group } from "../ir/graph";
import type { Dim, Num } from "../ir/number";
import type { NetworkDims } from "./dims";
import { layers, linearGroup } from "./layers";
import type { NetworkLayout } from "./networks";

/** `dims` are those of the encoder that it reads; `outputs` the width of what it predicts. */
export const headLayout = (dims: NetworkDims, outputs: Dim): NetworkLayout => ({
  name: "head",
  type: "Head",
  dims,
  depth: 0,
  layers: [{ kind: "linear", name: "proj", official: "proj", inputs: dims.width, outputs, role: layers.head }],
});

/** Its weights, as the function that runs it is handed them. */
export const headGroup = (inputs: Num, outputs: Num): Group =>
  linearGroup("head", "head.proj", [inputs, outputs], layers.head);
