/** What the masks of an experiment come to, beside those of the reference at the same per-device batch size. */
import type { MaskPlan, MultiblockPlan } from "../../runtime/masks/plan";
import type { MaskSettings } from "../masks/settings";
import { buildMaskPlan } from "../masks/strategies";
import { type PatchCoverage, patchCoverage } from "./mask-coverage";

export interface SamplerFacts {
  readonly strategy: MaskPlan["strategy"];
  /** Of multi-block masking. */
  readonly sampler?: MultiblockPlan["sampler"];
  readonly programs: MaskPlan["programs"];
  /** Context and target tokens of an image, the mean over the programs. */
  readonly contextTokens: number;
  readonly targetTokens: number;
  readonly coverage: PatchCoverage;
}

export interface MaskFacts {
  /** The masks that this experiment trains with. */
  readonly own: SamplerFacts;
  /** The reference's: its sampler, and the tokens that it keeps at this batch size. Of multi-block masking alone. */
  readonly reference?: SamplerFacts;
  /** The unbiased sampler with the same settings. Of multi-block masking alone. */
  readonly unbiased?: SamplerFacts;
}

const COVERAGE_STEPS = 512;

function factsOf(plan: MaskPlan): SamplerFacts {
  const mean = (of: (program: MaskPlan["programs"][number]) => number): number =>
    plan.programs.reduce((sum, program) => sum + program.probability * of(program), 0);
  return {
    strategy: plan.strategy,
    ...(plan.strategy === "multiblock" && { sampler: plan.sampler }),
    programs: plan.programs,
    contextTokens: mean((program) => program.contextTokens),
    targetTokens: mean((program) => program.targetTokens),
    coverage: patchCoverage(plan, { steps: COVERAGE_STEPS }),
  };
}

export function maskFacts(settings: MaskSettings): MaskFacts {
  const own = factsOf(buildMaskPlan(settings));
  if (settings.strategy !== "multiblock") return { own };
  const like = (sampler: MultiblockPlan["sampler"]): SamplerFacts =>
    factsOf(buildMaskPlan({ ...settings, sampler, context: { ...settings.context, tokens: "auto" } }));
  return { own, reference: like("reference"), unbiased: like("unbiased") };
}

/** Shares of a grid as rows of whole per cents, so that a reader sees where patches are never used. */
function gridText(shares: ArrayLike<number>, { width }: { readonly width: number }): string {
  const cells = Array.from(shares, (share) => String(Math.round(100 * share)).padStart(3));
  const rows = Array.from({ length: cells.length / width }, (_, y) =>
    cells.slice(y * width, (y + 1) * width).join(" "),
  );
  return rows.join("\n");
}

/** How unevenly patches are used: the smallest and the largest share. */
function rangeText(shares: ArrayLike<number>): string {
  const values = Array.from(shares);
  const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
  return `${percent(Math.min(...values))} … ${percent(Math.max(...values))}`;
}

/** The tokens of every program beside those of the reference. */
function programsBeside(own: SamplerFacts, reference: SamplerFacts): readonly string[] {
  return [
    "Context tokens by target size, beside what the reference keeps at this per-device batch size.",
    "",
    "| target tokens | context tokens here | in the reference |",
    "| --- | --- | --- |",
    ...own.programs.map(({ targetTokens, contextTokens }) => {
      const theirs = reference.programs.find((program) => program.targetTokens === targetTokens);
      return `| ${targetTokens} | ${contextTokens} | ${theirs === undefined ? "never drawn" : theirs.contextTokens} |`;
    }),
    "",
  ];
}

/** Markdown for people. */
export function maskFactsText(facts: MaskFacts, grid: { readonly width: number }): string {
  const { own, reference, unbiased } = facts;
  const named = Object.entries({ "this experiment": own, reference, unbiased });
  const rows = named
    .flatMap(([name, of]) => (of === undefined ? [] : [[name, of] as const]))
    .map(
      ([name, { contextTokens, targetTokens, coverage }]) =>
        `| ${name} | ${contextTokens.toFixed(1)} | ${targetTokens.toFixed(1)} | ${rangeText(coverage.context)} | ${rangeText(coverage.target)} | ${(100 * coverage.redrawsPerImage).toFixed(1)} % |`,
    );
  return [
    "## Masks",
    "",
    "Tokens of an image, and how often a patch is context or target (least … most used patch).",
    "",
    "| sampler | context tokens | target tokens | patch is context | patch is target | redrawn images |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows,
    "",
    ...(reference === undefined ? [] : programsBeside(own, reference)),
    `How often each patch is context, in % (${own.sampler === undefined ? `${own.strategy} masking` : `${own.sampler} sampler`}):`,
    "",
    "```",
    gridText(own.coverage.context, grid),
    "```",
    "",
    "How often each patch is a target, in %:",
    "",
    "```",
    gridText(own.coverage.target, grid),
    "```",
    "",
  ].join("\n");
}
