/** Rules between the fields of a masked autoencoder. */
import { errors } from "../../diagnostics/catalogue";
import { headsProblem } from "../../spec/heads";
import { gridRule } from "../../spec/mask-rules";
import type { Rule } from "../../spec/rule";
import type { MaeSpec } from "../../spec/spec";
import { visiblePatches } from "./plan";

export const maeRules: readonly Rule<MaeSpec>[] = [
  {
    name: "heads divide the decoder's width",
    reads: ["encoder.size", "encoder.dim", "decoder.dim", "decoder.heads"],
    check: ({ spec: { decoder } }) =>
      decoder.dim % decoder.heads === 0 ? [] : [{ path: ["decoder", "heads"], problem: headsProblem(decoder, false) }],
  },
  gridRule,
  {
    name: "some patches are seen and some are masked",
    reads: ["image.size", "encoder.patch", "maskRatio"],
    check: ({ spec }) => {
      const { visible, patches } = visiblePatches(spec);
      if (!Number.isInteger(patches) || (visible >= 1 && visible < patches)) return [];
      return [{ path: ["maskRatio"], problem: errors.nothingVisible({ visible, patches }) }];
    },
  },
];
