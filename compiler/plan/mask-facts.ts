/** What the masks of an experiment come to, beside those of the reference at the same per-device batch size. */
import type { MaskPlan } from "../../runtime/experiment";
import type { MaskSettings } from "../masks/settings";
import { type PatchCoverage, patchCoverage } from "./mask-coverage";
import { buildMaskPlan } from "./masks";

export interface SamplerFacts {
  readonly sampler: MaskPlan["sampler"];
  readonly programs: MaskPlan["programs"];
  /** Context and target tokens of an image, the mean over the programs. */
  readonly contextTokens: number;
  readonly targetTokens: number;
  readonly coverage: PatchCoverage;
}

export interface MaskFacts {
  /** The masks that this experiment trains with. */
  readonly own: SamplerFacts;
  /** The reference's: its sampler, and the tokens that it keeps at this batch size. */
  readonly reference: SamplerFacts;
  /** The unbiased sampler with the same settings. */
  readonly unbiased: SamplerFacts;
}

const COVERAGE_STEPS = 512;

function factsOf(plan: MaskPlan): SamplerFacts {
  const mean = (of: (program: MaskPlan["programs"][number]) => number): number =>
    plan.programs.reduce((sum, program) => sum + program.probability * of(program), 0);
  return {
    sampler: plan.sampler,
    programs: plan.programs,
    contextTokens: mean((program) => program.contextTokens),
    targetTokens: mean((program) => program.targetTokens),
    coverage: patchCoverage(plan, { steps: COVERAGE_STEPS }),
  };
}

export function maskFacts(settings: MaskSettings): MaskFacts {
  const like = (sampler: MaskPlan["sampler"]): SamplerFacts =>
    factsOf(buildMaskPlan({ ...settings, sampler, context: { ...settings.context, tokens: "auto" } }));
  return { own: factsOf(buildMaskPlan(settings)), reference: like("reference"), unbiased: like("unbiased") };
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

/** Markdown for people. */
export function maskFactsText(facts: MaskFacts, grid: { readonly width: number }): string {
  const named: readonly (readonly [string, SamplerFacts])[] = [
    ["this experiment", facts.own],
    ["reference", facts.reference],
    ["unbiased", facts.unbiased],
  ];
  const rows = named.map(
    ([name, { contextTokens, targetTokens, coverage }]) =>
      `| ${name} | ${contextTokens.toFixed(1)} | ${targetTokens.toFixed(1)} | ${rangeText(coverage.context)} | ${rangeText(coverage.target)} | ${(100 * coverage.redrawsPerImage).toFixed(1)} % |`,
  );
  const programs = facts.own.programs.map(({ targetTokens, contextTokens }) => {
    const theirs = facts.reference.programs.find((program) => program.targetTokens === targetTokens);
    return `| ${targetTokens} | ${contextTokens} | ${theirs === undefined ? "never drawn" : theirs.contextTokens} |`;
  });
  return [
    "## Masks",
    "",
    "Tokens of an image, and how often a patch is context or target (least … most used patch).",
    "",
    "| sampler | context tokens | target tokens | patch is context | patch is target | redrawn images |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows,
    "",
    "Context tokens by target size, beside what the reference keeps at this per-device batch size.",
    "",
    "| target tokens | context tokens here | in the reference |",
    "| --- | --- | --- |",
    ...programs,
    "",
    `How often each patch is context, in % (${facts.own.sampler} sampler):`,
    "",
    "```",
    gridText(facts.own.coverage.context, grid),
    "```",
    "",
    "How often each patch is a target, in %:",
    "",
    "```",
    gridText(facts.own.coverage.target, grid),
    "```",
    "",
  ].join("\n");
}
