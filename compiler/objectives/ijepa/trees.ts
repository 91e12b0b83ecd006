/** What the step is handed, declared once: the graphs read these leaves, generated code and trainer are laid out by them. */
import type { InputTrees, ScheduleTree } from "../../../runtime/step/trees";
import type { Leaf } from "../../ir/graph";
import type { Num } from "../../ir/number";
import type { ModelNumbers } from "../../plan/model-numbers";
import type { Dims } from "./dims";

export const IMAGE_CHANNELS = 3;

const imagesDoc: { readonly [P in ModelNumbers["pixels"]]: string } = {
  u8: "Pixels as bytes; the step normalizes them, once for all encoders.",
  f32: "Pixels that are normalized already.",
};

/** The trees of a step; of `dropPath` one entry stands for all blocks. */
export type ModelTrees = InputTrees<Leaf>;

export function treesOf(n: ModelNumbers, dims: Dims): ModelTrees {
  const batch = (path: string, dtype: Leaf["dtype"], shape: readonly Num[], doc?: string, role = path): Leaf => ({
    tree: "batch",
    path,
    dtype,
    shape,
    role,
    ...(doc === undefined ? {} : { doc }),
  });
  const table = (path: string, width: Num): Leaf => ({
    tree: "constants",
    path,
    dtype: "f32",
    shape: [dims.patches, width],
    role: "positions",
  });
  const ofChannels = (path: string): Leaf => ({
    tree: "constants",
    path,
    dtype: "f32",
    shape: [IMAGE_CHANNELS],
    role: path,
  });
  const rows = n.contexts > 1 ? "rows (context, image)" : "rows by image";
  const factors = (branch: "attn" | "mlp"): Leaf =>
    batch(
      `dropPath.*.${branch}`,
      "f32",
      [dims.contextRows],
      "Factors of stochastic depth, 0 or 1 / (1 − rate), for every block.",
      branch === "attn" ? "keep projected" : "keep mlp",
    );
  return {
    batch: {
      images: batch(
        "images",
        n.pixels,
        [dims.images, IMAGE_CHANNELS, n.imageHeight, n.imageWidth],
        imagesDoc[n.pixels],
      ),
      contextIndex: batch(
        "contextIndex",
        "i32",
        [dims.contextRows, dims.context],
        `The patches of the context, ${rows}.`,
      ),
      targetIndex: batch(
        "targetIndex",
        "i32",
        [dims.images, dims.allTargets],
        `The patches of the ${n.targets} target blocks, side by side.`,
      ),
      ...(n.dropPath ? { dropPath: [{ attn: factors("attn"), mlp: factors("mlp") }] } : {}),
    },
    schedule: scheduleLeaves,
    constants: {
      positions: table("positions", dims.encoder.width),
      predictorPositions: table("predictorPositions", dims.predictor.width),
      ...(n.pixels === "u8" ? { pixelMean: ofChannels("pixelMean"), pixelStd: ofChannels("pixelStd") } : {}),
    },
  };
}

const scalar = (path: keyof ScheduleTree<Leaf>, doc: string): Leaf => ({
  tree: "schedule",
  path,
  dtype: "f32",
  shape: [],
  role: path,
  doc,
});

const scheduleLeaves: ScheduleTree<Leaf> = {
  stepSize: scalar("stepSize", "lr / (1 − β1ᵗ) of step t"),
  secondMoment: scalar("secondMoment", "1 / √(1 − β2ᵗ)"),
  decayFactor: scalar("decayFactor", "1 − lr · weight decay"),
  keep: scalar("keep", "momentum of the target encoder"),
  take: scalar("take", "1 − momentum"),
};
