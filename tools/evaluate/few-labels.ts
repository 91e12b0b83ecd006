/** Linear probes that see a few labels alone: what a representation is worth where labelling is dear. */
import { type Features, shareOfEqual, standardized, statisticsOf } from "../../runtime/evaluate/features";
import { fitClassifier, predict } from "../../runtime/evaluate/linear-probe";
import { cholesky, gramOf, transposed } from "../../runtime/evaluate/matrix";
import { randomAt } from "../../runtime/random/random";
import { spreadOf } from "./interval";

export interface FewLabels {
  /** "1 per class" or "1 %". */
  readonly labels: string;
  /** Labelled images of a draw. */
  readonly images: number;
  /** Accuracy on the test images, a share for each draw of labelled images. */
  readonly draws: readonly number[];
  readonly mean: number;
  /** Standard deviation over the draws (n − 1). */
  readonly std: number;
}

export type LabelBudget = { readonly perClass: number } | { readonly share: number };

export const budgetName = (budget: LabelBudget): string =>
  "share" in budget ? `${100 * budget.share} %` : `${budget.perClass} per class`;

export const budgets: readonly LabelBudget[] = [{ perClass: 1 }, { perClass: 5 }, { perClass: 20 }, { share: 0.01 }];
export const drawCount = 5;

/**
 * No label beyond the budget is seen: features are standardized on the chosen images, and the L2 strength is not chosen but
 * scikit-learn's default (C = 1: 1 / images beside a mean loss). Null where the train split is too small for the budget.
 */
export function fewLabels(what: {
  readonly train: Features;
  readonly test: Features;
  readonly labels: { readonly train: Int32Array; readonly test: Int32Array };
  readonly classes: number;
  readonly budget: LabelBudget;
  readonly seed: number;
}): FewLabels | null {
  const { train, test, labels, classes, budget, seed } = what;
  const name = budgetName(budget);
  const draws: number[] = [];
  let images = 0;
  for (let draw = 0; draw < drawCount; draw++) {
    const order = Int32Array.from({ length: train.images }, (_, i) => i);
    randomAt({ seed, purpose: `evaluation.labels.${name}`, step: draw }).shuffle(order);
    const chosen = chosenOf(order, labels.train, budget);
    if (chosen === null || new Set(chosen.map((i) => labels.train[i])).size < 2) return null;
    images = chosen.length;
    const few = rowsOf(train, chosen);
    const statistics = statisticsOf(few);
    const rows = standardized(few, statistics);
    const trainColumns = transposed(rows);
    const bound = gramOf(trainColumns);
    for (let i = 0; i < bound.values.length; i++) bound.values[i] = (bound.values[i] ?? 0) / (4 * images);
    const l2 = 1 / images;
    const prepared = { train: rows, trainColumns, factors: new Map([[l2, cholesky(bound, l2)]]) };
    const given = Int32Array.from(chosen, (i) => labels.train[i] ?? 0);
    const { classifier } = fitClassifier(prepared, given, { classes, l2, start: null });
    draws.push(shareOfEqual(predict(classifier, standardized(test, statistics)), labels.test));
  }
  return { labels: name, images, draws, ...spreadOf(draws) };
}

/** The first of a random order, so many of each class or a share of all; null where a class has too few. */
function chosenOf(order: Int32Array, labels: Int32Array, budget: LabelBudget): readonly number[] | null {
  if ("share" in budget) return [...order.slice(0, Math.round(budget.share * order.length))];
  const taken = new Map<number, number>();
  const chosen: number[] = [];
  for (const image of order) {
    const label = labels[image] ?? 0;
    const count = taken.get(label) ?? 0;
    if (count === budget.perClass) continue;
    taken.set(label, count + 1);
    chosen.push(image);
  }
  return [...taken.values()].every((count) => count === budget.perClass) ? chosen : null;
}

function rowsOf({ dimension, values }: Features, chosen: readonly number[]): Features {
  const out = new Float32Array(chosen.length * dimension);
  for (const [row, i] of chosen.entries())
    out.set(values.subarray(i * dimension, (i + 1) * dimension), row * dimension);
  return { images: chosen.length, dimension, values: out };
}
