/**
 * Defaults of SimMIM that other fields decide: squares of two patches of 16 pixels are the paper's masks of 32 pixels. Those that nothing
 * decides are in the schema, from microsoft/SimMIM: 60 % masked and the clipping of gradients at 5 (config.py), weight decay 0.05
 * (configs/), crops of 0.67 to 1 with flips (data/data_simmim.py), the mean absolute error (models/simmim.py). Its learning rates grow
 * with batch / 512 (main_simmim.py), and are taken for 2048 images here.
 */
import type { ReleasedSchedule } from "../../spec/fitting";
import type { SimmimSpec } from "../../spec/spec";

type Given = Omit<SimmimSpec, "maskUnit"> & Partial<Pick<SimmimSpec, "maskUnit">>;

/** configs/swin_base__100ep, the one with a cosine: 0.000001 and 0.00001 for 512 images. */
export const schedule: ReleasedSchedule = { start: 0.000004, final: 0.00004, warmupEpochs: 10 };

export function defaults(spec: SimmimSpec): SimmimSpec {
  const given: Given = spec;
  const side = spec.image.size / spec.encoder.patch;
  return { ...given, maskUnit: given.maskUnit ?? (side % 2 === 0 ? 2 : 1) };
}
