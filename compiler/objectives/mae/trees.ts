/** What the step of a masked autoencoder is handed. */
import type { Leaf } from "../../ir/graph";
import {
  batchLeaf,
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
  const { images, visible, masked } = dims;
  return {
    batch: {
      images: imagesLeaf(n, dims),
      visible: batchLeaf("visible", {
        dtype: "i32",
        shape: [images, visible],
        doc: "The patches that the encoder sees, drawn at random for every image.",
      }),
      masked: batchLeaf("masked", { dtype: "i32", shape: [images, masked], doc: "All other patches." }),
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
