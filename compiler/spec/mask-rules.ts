/** Rules of the masks: every block that can be drawn is one that training can use (reference.md §1.5). */

import { errors } from "../diagnostics/catalogue";
import { type MaskPlanProblem, maskPlanProblems } from "../masks/problems";
import { isDrawable, maskSettings, mostPatches } from "./mask-settings";
import type { Finding, Rule } from "./rule";
import type { Spec } from "./spec";

export const maskRules: readonly Rule[] = [
  {
    name: "the grid is not too fine",
    reads: ["image.size", "encoder.patch"],
    check: ({ spec }) => {
      const patches = gridSide(spec) ** 2;
      if (patches <= mostPatches) return [];
      return [{ path: ["encoder", "patch"], problem: errors.tooManyPatches({ patches, most: mostPatches }) }];
    },
  },
  {
    name: "every draw of masks can be trained with",
    reads: ["image.size", "encoder.patch", "masking"],
    check: ({ spec }) => {
      const found = isDrawable(spec) ? maskPlanProblems(maskSettings(spec)) : [];
      // The first of a kind is about the smallest block; the others say the same of larger ones.
      return found
        .filter((one, i) => found.findIndex(({ kind }) => kind === one.kind) === i)
        .map((one) => finding(spec, one));
    },
  },
];

function gridSide({ image, encoder }: Spec): number {
  return image.size / encoder.patch;
}

function finding(spec: Spec, problem: MaskPlanProblem): Finding {
  const grid = gridSide(spec);
  switch (problem.kind) {
    case "target too small": {
      const { size, minKeep } = problem;
      return { path: ["masking", "targets", "scale"], problem: errors.targetBlockTooSmall({ ...size, grid, minKeep }) };
    }
    case "context too small": {
      const { size, minKeep } = problem;
      return {
        path: ["masking", "context", "scale"],
        problem: errors.contextBlockTooSmall({ ...size, grid, minKeep }),
      };
    }
    case "context tokens out of reach":
      return { path: ["masking", "context", "tokens"], problem: errors.contextTokensTooMany(problem) };
  }
}
