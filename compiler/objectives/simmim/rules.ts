/** Rules between the fields of SimMIM. */
import { errors } from "../../diagnostics/catalogue";
import { gridRule, visibleRule } from "../../spec/mask-rules";
import type { Rule } from "../../spec/rule";
import type { SimmimSpec } from "../../spec/spec";
import { maskSettings } from "./masks";

export const simmimRules: readonly Rule<SimmimSpec>[] = [
  gridRule,
  {
    name: "squares of patches fill the grid",
    reads: ["image.size", "encoder.patch", "maskUnit"],
    check: ({ spec }) => {
      const { side, unit } = maskSettings(spec);
      if (!Number.isInteger(side) || side % unit === 0) return [];
      const fitting = Array.from({ length: side }, (_, i) => i + 1).filter((one) => side % one === 0 && one < side);
      return [{ path: ["maskUnit"], problem: errors.maskUnitUnfit({ unit, side, fitting }) }];
    },
  },
  visibleRule(maskSettings),
];
