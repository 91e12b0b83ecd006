/** What the step of I-JEPA is handed. */

import type { Leaf } from "../../ir/graph";
import {
  batchLeaf,
  dropPathLeaves,
  imagesLeaf,
  type ModelTrees,
  pixelLeaves,
  positionsLeaf,
  scheduleLeaves,
} from "../../model/trees";
import type { IJepaDims } from "./dims";
import type { IJepaNumbers } from "./numbers";

export interface IJepaTrees extends ModelTrees {
  readonly batch: ModelTrees["batch"] & { readonly contextIndex: Leaf; readonly targetIndex: Leaf };
  readonly constants: ModelTrees["constants"] & { readonly predictorPositions: Leaf };
}

export function treesOf(n: IJepaNumbers, dims: IJepaDims): IJepaTrees {
  const axes = [...(n.contexts > 1 ? ["context"] : []), ...(n.sets > 1 ? ["set"] : [])];
  const rows = axes.length > 0 ? `rows (${[...axes, "image"].join(", ")})` : "rows by image";
  const dropPath = dropPathLeaves(n, dims.contextRows);
  return {
    batch: {
      images: imagesLeaf(n, dims),
      contextIndex: batchLeaf("contextIndex", {
        dtype: "i32",
        shape: [dims.contextRows, dims.context],
        doc: `The patches of the context, ${rows}.`,
      }),
      targetIndex: batchLeaf("targetIndex", {
        dtype: "i32",
        shape: [dims.maskRows, dims.allTargets],
        doc: `The patches of the ${n.targets} target blocks, side by side${n.sets > 1 ? ", rows (set, image)" : ""}.`,
      }),
      ...(dropPath && { dropPath }),
    },
    schedule: scheduleLeaves({ averages: true }),
    constants: {
      positions: positionsLeaf("positions", dims, dims.encoder.width),
      predictorPositions: positionsLeaf("predictorPositions", dims, dims.predictor.width),
      ...pixelLeaves(n),
    },
  };
}
