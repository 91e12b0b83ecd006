/** The file of a trained decoder: its weights under `decoder.…` as PyTorch lays them out, and the mean training image. */

/** Names of its tensors beside the weights. */
export const decoderTensors = {
  /** [3, H, W], in bytes. */
  meanImage: "mean_image",
} as const;
