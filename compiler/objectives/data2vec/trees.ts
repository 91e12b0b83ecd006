/** What the step of data2vec is handed. */
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
import type { Data2VecDims } from "./dims";
import type { Data2VecNumbers } from "./numbers";

export interface Data2VecTrees extends ModelTrees {
  readonly batch: ModelTrees["batch"] & { readonly visible: Leaf; readonly masked: Leaf };
}

export function treesOf(n: Data2VecNumbers, dims: Data2VecDims): Data2VecTrees {
  const { rows } = dims;
  const dropPath = dropPathLeaves(n, rows);
  return {
    batch: { images: imagesLeaf(n, dims), ...maskLeaves({ ...dims, images: rows }), ...(dropPath && { dropPath }) },
    schedule: scheduleLeaves({ averages: true }),
    constants: {
      positions: positionsLeaf("positions", dims, dims.encoder.width),
      ...(n.classToken && { classPosition: classPositionLeaf(dims) }),
      ...pixelLeaves(n),
    },
  };
}
