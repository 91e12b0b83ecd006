/** Defaults of SimMIM that other fields decide: squares of two patches of 16 pixels are the paper's masks of 32 pixels. */
import type { SimmimSpec } from "../../spec/spec";

type Given = Omit<SimmimSpec, "maskUnit"> & Partial<Pick<SimmimSpec, "maskUnit">>;

export function defaults(spec: SimmimSpec): SimmimSpec {
  const given: Given = spec;
  const side = spec.image.size / spec.encoder.patch;
  return { ...given, maskUnit: given.maskUnit ?? (side % 2 === 0 ? 2 : 1) };
}
