import type { VisibleSettings } from "../../masks/visible";
import type { MaeSpec } from "../../spec/spec";

/** Patches are drawn one by one. */
export const maskSettings = ({ image, encoder, maskRatio }: MaeSpec): VisibleSettings => ({
  side: image.size / encoder.patch,
  ratio: maskRatio,
  unit: 1,
});
