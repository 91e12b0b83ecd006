/** Rules of the masks: every block that can be drawn is one that training can use (reference.md §1.5). */

import { errors } from "../diagnostics/catalogue";
import { maskPlanProblems } from "../masks/strategies";
import type { MaskPlanProblem } from "../masks/strategies/strategy";
import { type VisibleSettings, visibleSquares } from "../masks/visible";
import { isDrawable, maskingPairs, maskSettings, mostPatches } from "./mask-settings";
import { rises } from "./rises";
import type { Finding, Rule } from "./rule";
import type { IjepaSpec, Spec } from "./spec";

export const gridRule: Rule = {
  name: "the grid is not too fine",
  reads: ["image.size", "encoder.patch"],
  check: ({ spec }) => {
    const patches = gridSide(spec) ** 2;
    if (patches <= mostPatches) return [];
    return [{ path: ["encoder", "patch"], problem: errors.tooManyPatches({ patches, most: mostPatches }) }];
  },
};

/** Of patches that are masked at random, as an objective draws them. */
export const visibleRule = <S extends Spec & { readonly maskRatio: number }>(
  settingsOf: (spec: S) => VisibleSettings,
): Rule<S> => ({
  name: "some patches are seen and some are masked",
  reads: ["image.size", "encoder.patch", "maskRatio", "maskUnit"],
  check: ({ spec }) => {
    const settings = settingsOf(spec);
    const { visible, squares } = visibleSquares(settings);
    if (!Number.isInteger(squares) || (visible >= 1 && visible < squares)) return [];
    return [{ path: ["maskRatio"], problem: errors.nothingVisible({ visible, squares, unit: settings.unit }) }];
  },
});

export const maskRules: readonly Rule<IjepaSpec>[] = [
  ...Object.entries(maskingPairs).map(([field, pair]) => rises<IjepaSpec>(field, ({ masking }) => pair(masking))),
  gridRule,
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
  {
    name: "a target encoder that is masked is there",
    reads: ["targets.space", "targets.maskedAt"],
    check: ({ spec: { targets } }) =>
      targets.space === "pixels" && targets.maskedAt === "input"
        ? [{ path: ["targets", "maskedAt"], problem: errors.pixelsMaskedAtInput() }]
        : [],
  },
];

function gridSide({ image, encoder }: Pick<Spec, "image" | "encoder">): number {
  return image.size / encoder.patch;
}

/** The nearest patches below and above that make an even number a side. */
function evenPatches({ image, encoder }: Pick<Spec, "image" | "encoder">): readonly number[] {
  const even = Array.from({ length: Math.floor(image.size / 2) }, (_, i) => i + 1).filter(
    (patch) => image.size % (2 * patch) === 0 && (image.size / patch) ** 2 <= mostPatches,
  );
  const below = even.findLast((patch) => patch < encoder.patch);
  const above = even.find((patch) => patch > encoder.patch);
  return [below, above].filter((patch) => patch !== undefined);
}

function finding(spec: IjepaSpec, problem: MaskPlanProblem): Finding {
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
    case "nothing left": {
      const { of, field } = problem;
      return { path: ["masking", "targets", field], problem: errors.nothingLeft({ of, field, patches: grid ** 2 }) };
    }
    case "no quadrants":
      return { path: ["masking", "strategy"], problem: errors.noQuadrants({ grid, nearest: evenPatches(spec) }) };
  }
}
