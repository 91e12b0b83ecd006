/** What any step is handed, declared once: the graphs read these leaves, generated code and trainer are laid out by them. */
import type { InputTrees, ScheduleTree } from "../../runtime/step/trees";
import type { Leaf } from "../ir/graph";
import type { Num } from "../ir/number";
import type { BaseNumbers } from "../plan/model-numbers";
import type { Dims } from "./dims";

export const IMAGE_CHANNELS = 3;

const imagesDoc: { readonly [P in BaseNumbers["pixels"]]: string } = {
  u8: "Pixels as bytes; the step normalizes them.",
  f32: "Pixels that are normalized already.",
};

/** The trees of a step; of a list by block one entry stands for all blocks. */
export type ModelTrees = InputTrees<Leaf>;

interface BatchLeaf {
  readonly dtype: Leaf["dtype"];
  readonly shape: readonly Num[];
  readonly doc?: string;
  /** Left out: its path. */
  readonly role?: string;
}

/** What differs from micro-batch to micro-batch. */
export const batchLeaf = (path: string, { role = path, ...leaf }: BatchLeaf): Leaf => ({
  tree: "batch",
  path,
  role,
  ...leaf,
});

export const imagesLeaf = (n: BaseNumbers, dims: Pick<Dims, "images">): Leaf =>
  batchLeaf("images", {
    dtype: n.pixels,
    shape: [dims.images, IMAGE_CHANNELS, n.imageHeight, n.imageWidth],
    doc: imagesDoc[n.pixels],
  });

/** Factors of stochastic depth, one for each row of the encoder that is trained; undefined where there is none. */
export function dropPathLeaves(n: BaseNumbers, rows: Num): ModelTrees["batch"]["dropPath"] {
  if (!n.dropPath) return undefined;
  const factors = (branch: "attn" | "mlp"): Leaf =>
    batchLeaf(`dropPath.*.${branch}`, {
      dtype: "f32",
      shape: [rows],
      doc: "Factors of stochastic depth, 0 or 1 / (1 − rate), for every block.",
      role: branch === "attn" ? "keep projected" : "keep mlp",
    });
  return [{ attn: factors("attn"), mlp: factors("mlp") }];
}

const constantLeaf = (path: string, shape: readonly Num[], role: string): Leaf => ({
  tree: "constants",
  path,
  dtype: "f32",
  shape,
  role,
});

/** A table of position embeddings, [N, width]. */
export const positionsLeaf = (path: string, dims: Pick<Dims, "patches">, width: Num): Leaf =>
  constantLeaf(path, [dims.patches, width], "positions");

/** The position of the class token for every image, which is zero: [B, 1, D]. */
export const classPositionLeaf = (dims: Pick<Dims, "images" | "encoder">): Leaf =>
  constantLeaf("classPosition", [dims.images, 1, dims.encoder.width], "positions");

/** Mean and deviation of each channel, where the step is given bytes. */
export function pixelLeaves(n: BaseNumbers): Pick<ModelTrees["constants"], "pixelMean" | "pixelStd"> {
  const ofChannels = (path: string): Leaf => constantLeaf(path, [IMAGE_CHANNELS], path);
  return n.pixels === "u8" ? { pixelMean: ofChannels("pixelMean"), pixelStd: ofChannels("pixelStd") } : {};
}

const scalar = (path: keyof ScheduleTree<Leaf>, doc: string): Leaf => ({
  tree: "schedule",
  path,
  dtype: "f32",
  shape: [],
  role: path,
  doc,
});

/** Scalars of one optimizer step. */
export const scheduleLeaves = ({ averages }: { readonly averages: boolean }): ScheduleTree<Leaf> => ({
  stepSize: scalar("stepSize", "lr / (1 − β1ᵗ) of step t"),
  secondMoment: scalar("secondMoment", "1 / √(1 − β2ᵗ)"),
  decayFactor: scalar("decayFactor", "1 − lr · weight decay"),
  ...(averages && {
    keep: scalar("keep", "momentum of the target encoder"),
    take: scalar("take", "1 − momentum"),
  }),
});
