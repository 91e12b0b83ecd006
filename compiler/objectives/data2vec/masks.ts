import type { VisibleSettings } from "../../masks/visible";
import type { Data2VecSpec } from "../../spec/spec";

/** How many patches are masked; how they lie together is `maskBlocks`. */
export const maskSettings = ({ image, encoder, maskRatio }: Data2VecSpec): VisibleSettings => ({
  side: image.size / encoder.patch,
  ratio: maskRatio,
  unit: 1,
});
