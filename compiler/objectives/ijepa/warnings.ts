/** Masks that are probably not meant, but can be trained with. Looked for where nothing is wrong. */
import { areaOf } from "../../../runtime/masks/blocks";
import { errors } from "../../diagnostics/catalogue";
import { maskSizes } from "../../masks/settings";
import { maskSettings } from "../../spec/mask-settings";
import type { Rule } from "../../spec/rule";
import type { IjepaSpec } from "../../spec/spec";

export const ijepaWarnings: readonly Rule<IjepaSpec>[] = [
  {
    name: "a context is larger than a target",
    reads: ["image.size", "encoder.patch", "masking"],
    check: ({ spec }) => {
      const settings = maskSettings(spec);
      if (settings.strategy !== "multiblock") return [];
      const { targets, contexts } = maskSizes(settings);
      const [target, context] = [Math.max(...targets.map(areaOf)), Math.max(...contexts.map(areaOf))];
      if (context > target) return [];
      return [{ path: ["masking", "context", "scale"], problem: errors.contextLikeTargets({ target, context }) }];
    },
  },
  {
    name: "a target has more than one place",
    reads: ["image.size", "encoder.patch", "masking"],
    check: ({ spec }) => {
      const settings = maskSettings(spec);
      if (settings.strategy !== "multiblock") return [];
      const { grid, sampler } = settings;
      const { targets } = maskSizes(settings);
      // The reference draws from 0 to margin − 1, so that a margin of one patch leaves one place (reference.md §1.3).
      const least = sampler === "reference" ? 2 : 1;
      const fixed = targets.find(({ height, width }) => grid.height - height < least && grid.width - width < least);
      if (fixed === undefined) return [];
      const problem = errors.targetOfOnePlace({ height: fixed.height, width: fixed.width, grid: grid.height, sampler });
      return [{ path: ["masking", "targets", "scale"], problem }];
    },
  },
];
