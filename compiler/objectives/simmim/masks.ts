import type { VisibleSettings } from "../../masks/visible";
import type { SimmimSpec } from "../../spec/spec";

/** Squares of patches are drawn as one. */
export const maskSettings = ({ image, encoder, maskRatio, maskUnit }: SimmimSpec): VisibleSettings => ({
  side: image.size / encoder.patch,
  ratio: maskRatio,
  unit: maskUnit,
});
