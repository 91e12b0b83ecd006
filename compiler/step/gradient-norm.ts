/** The norm of the gradient over all weights, which every step gives for the log, and clipping by it. */
import type { EachCall, ScalarCall, Section, TreeValue } from "./step";
import { tree } from "./trees";

export interface GradientNorm {
  readonly section: Section;
  /** Before clipping. */
  readonly norm: ScalarCall;
  /** What the update takes: the gradients, clipped where that is asked for. */
  readonly gradients: TreeValue;
}

/** `max` null: the gradients stay as they are. */
export function gradientNorm(raw: TreeValue, max: number | null): GradientNorm {
  const norm: ScalarCall = {
    kind: "scalar",
    region: "update",
    part: "update",
    op: "globalNorm",
    attrs: [],
    of: raw,
    name: "norm",
  };
  if (max === null) {
    return {
      section: { title: "Norm of the gradient over all weights, for the log", calls: [norm] },
      norm,
      gradients: raw,
    };
  }
  const clip: ScalarCall = {
    ...norm,
    op: "clipFactor",
    attrs: [["max", String(max)]],
    of: norm,
    name: "clip",
  };
  const gradients = tree("gradients", "g");
  const scaled: EachCall = {
    kind: "each",
    region: "update",
    part: "update",
    op: "scaleBy",
    trees: [raw],
    scalars: [{ call: clip }],
    attrs: [],
    gives: [gradients],
  };
  const section: Section = { title: "Gradient clipping by the norm over all weights", calls: [norm, clip, scaled] };
  return { section, norm, gradients };
}
