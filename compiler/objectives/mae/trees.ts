/** What the step of a masked autoencoder is handed. */
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
import type { MaeDims } from "./dims";
import type { MaeNumbers } from "./numbers";

export interface MaeTrees extends ModelTrees {
  readonly batch: ModelTrees["batch"] & { readonly visible: Leaf; readonly masked: Leaf };
  readonly constants: ModelTrees["constants"] & { readonly decoderPositions: Leaf };
}

export function treesOf(n: MaeNumbers, dims: MaeDims): MaeTrees {
  const dropPath = dropPathLeaves(n, dims.images);
  return {
    batch: {
      images: imagesLeaf(n, dims),
      ...maskLeaves(dims),
      ...(dropPath && { dropPath }),
    },
    schedule: scheduleLeaves({ averages: false }),
    constants: {
      positions: positionsLeaf("positions", dims, dims.encoder.width),
      ...(n.classToken && { classPosition: classPositionLeaf(dims) }),
      decoderPositions: positionsLeaf("decoderPositions", dims, dims.decoder.width),
      ...pixelLeaves(n),
    },
  };
}
