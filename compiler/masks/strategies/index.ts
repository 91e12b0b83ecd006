/** The strategies of masking: from settings to a plan, and to what is wrong with them. */
import type { MaskPlan, MaskStrategy } from "../../../runtime/masks/plan";
import type { MaskSettings } from "../settings";
import { block } from "./block";
import { multiblock } from "./multiblock";
import { random } from "./random";
import { rasterized } from "./rasterized";
import type { MaskPlanProblem, Strategy } from "./strategy";

const strategies: { readonly [S in MaskStrategy]: Strategy<S> } = { multiblock, block, random, rasterized };

/** The table has under each strategy the one for its settings, which types can not follow. */
const strategyOf = ({ strategy }: MaskSettings): Strategy<MaskStrategy> =>
  strategies[strategy] as Strategy<MaskStrategy>;

/** The plan of legal settings (see `maskPlanProblems`). */
export const buildMaskPlan = (settings: MaskSettings): MaskPlan => strategyOf(settings).plan(settings);

/**
 * What was found before: points of a sweep mostly share their masks, and an answer takes up to 0.1 s. Forgotten
 * when they become many.
 */
const answers = new Map<string, readonly MaskPlanProblem[]>();
const MOST_ANSWERS = 1024;

/** What is wrong with these settings, found before a plan is made; empty where every draw ends with good masks. */
export function maskPlanProblems(settings: MaskSettings): readonly MaskPlanProblem[] {
  // Settings are plain values, in the order of the schema.
  const key = JSON.stringify(settings);
  const known = answers.get(key);
  if (known !== undefined) return known;
  const found = strategyOf(settings).problems(settings);
  if (answers.size >= MOST_ANSWERS) answers.clear();
  answers.set(key, found);
  return found;
}
