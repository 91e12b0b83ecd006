/** Defaults of I-JEPA that other fields decide. */
import { fittingMinKeep, type ReleasedSchedule } from "../../spec/fitting";
import { isDrawable } from "../../spec/mask-settings";
import type { IjepaSpec, MultiblockMaskingSpec, PredictorSpec } from "../../spec/spec";

/** That of in1k_vith14_ep300 (reference.md §11). */
export const schedule: ReleasedSchedule = { start: 0.0002, final: 0.000001, warmupEpochs: 40 };

export function defaults(spec: IjepaSpec): IjepaSpec {
  const heads: Partial<PredictorSpec> = { heads: spec.encoder.heads };
  return { ...spec, predictor: { ...heads, ...spec.predictor }, masking: maskingOf(spec) };
}

function maskingOf({ image, encoder, masking }: IjepaSpec): IjepaSpec["masking"] {
  if (masking.strategy !== "multiblock") return masking;
  const given: Partial<MultiblockMaskingSpec> = masking;
  const { targets, context } = masking;
  // Where the blocks make no sense, a rule says so.
  if (given.minKeep !== undefined) return masking;
  if (!isDrawable({ image, encoder, masking })) return { ...masking, minKeep: 10 };
  const side = image.size / encoder.patch;
  return { ...masking, minKeep: fittingMinKeep({ ...masking, targets, context, grid: { height: side, width: side } }) };
}
