/** What the step of SimMIM is handed. */
import type { Leaf } from "../../ir/graph";
import { maskLeaves } from "../../model/masked";
import {
  classPositionLeaf,
  dropPathLeaves,
  imagesLeaf,
  type ModelTrees,
  pixelLeaves,
  positionsLeaf,
  scheduleLeaves,
} from "../../model/trees";
import type { SimmimDims } from "./dims";
import type { SimmimNumbers } from "./numbers";

export interface SimmimTrees extends ModelTrees {
  readonly batch: ModelTrees["batch"] & { readonly visible: Leaf; readonly masked: Leaf };
}

export function treesOf(n: SimmimNumbers, dims: SimmimDims): SimmimTrees {
  const dropPath = dropPathLeaves(n, dims.images);
  return {
    batch: { images: imagesLeaf(n, dims), ...maskLeaves(dims), ...(dropPath && { dropPath }) },
    schedule: scheduleLeaves({ averages: false }),
    constants: {
      positions: positionsLeaf("positions", dims, dims.encoder.width),
      ...(n.classToken && { classPosition: classPositionLeaf(dims) }),
      ...pixelLeaves(n),
    },
  };
}
