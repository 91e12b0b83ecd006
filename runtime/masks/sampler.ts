/**
 * The masks of a training step, with the lengths that its program was compiled for. A pure function of the plan, the
 * seed and the place in the run: worker count, order of work and resumes change nothing. Every strategy has a file of its
 * own below strategies/.
 */

import type { MaskBatch, MaskRequest, SetRequest, StepAt } from "./batch";
import type { MaskPlan, MaskPlans, MaskStrategy } from "./plan";
import { setsInRows, setsOf } from "./sets";
import { blockOfStep, sampleBlock } from "./strategies/block";
import { sampleMultiblock, stepSizes } from "./strategies/multiblock";
import { sampleRandom } from "./strategies/random";
import { sampleRasterized } from "./strategies/rasterized";

export type { MaskBatch, MaskRequest } from "./batch";

interface Sampler<Plan> {
  /** One set. */
  readonly sample: (plan: Plan, request: SetRequest) => MaskBatch;
  /** Index into the plan's programs. */
  readonly program: (plan: Plan, at: StepAt) => number;
  /** What a target of this step is, for people: `5×7`, or `118 patches from anywhere`. */
  readonly target: (plan: Plan, at: StepAt) => string;
}

const sizeText = ({ height, width }: { readonly height: number; readonly width: number }): string =>
  `${height}×${width}`;

const samplers: { readonly [S in MaskStrategy]: Sampler<MaskPlans[S]> } = {
  multiblock: {
    sample: sampleMultiblock,
    program: (plan, at) => stepSizes(plan, at).target.program,
    target: (plan, at) => sizeText(stepSizes(plan, at).target),
  },
  block: {
    sample: sampleBlock,
    program: (plan, at) => blockOfStep(plan, at).program,
    target: (plan, at) => sizeText(blockOfStep(plan, at)),
  },
  random: {
    sample: sampleRandom,
    program: () => 0,
    target: ({ programs: [program] }) => `${program?.targetTokens} patches from anywhere`,
  },
  rasterized: {
    sample: sampleRasterized,
    program: () => 0,
    target: ({ gridHeight, gridWidth }) => sizeText({ height: gridHeight / 2, width: gridWidth / 2 }),
  },
};

/** The sampler of a plan: the table has under each strategy the one for its plans, which types can not follow. */
const samplerOf = (plan: MaskPlan): Sampler<MaskPlan> => samplers[plan.strategy] as Sampler<MaskPlan>;

/** One set of masks of a step; the first is what is drawn where there is one. */
export const sampleSet = (plan: MaskPlan, request: SetRequest): MaskBatch => samplerOf(plan).sample(plan, request);

/** All sets of masks of a step: the sizes are those of the step, the positions those of image and set. */
export function sampleMasks(plan: MaskPlan, request: MaskRequest): MaskBatch {
  const first = sampleSet(plan, request);
  const count = setsOf(plan);
  if (count === 1) return first;
  const others = Array.from({ length: count - 1 }, (_, i) => sampleSet(plan, { ...request, set: i + 1 }));
  const sets = [first, ...others];
  return {
    program: first.program,
    lengths: first.lengths,
    contextIndex: setsInRows(
      sets.map(({ contextIndex }) => contextIndex),
      plan.contextCount,
    ),
    targetIndex: setsInRows(
      sets.map(({ targetIndex }) => targetIndex),
      1,
    ),
    redraws: sets.reduce((sum, { redraws }) => sum + redraws, 0),
    toppedUp: sets.reduce((sum, { toppedUp }) => sum + toppedUp, 0),
  };
}

/** The program that a step runs: an index into the plan's programs. */
export const programOfStep = (plan: MaskPlan, at: StepAt): number => samplerOf(plan).program(plan, at);

/** What a target of a step is, for people. */
export const targetOfStep = (plan: MaskPlan, at: StepAt): string => samplerOf(plan).target(plan, at);
