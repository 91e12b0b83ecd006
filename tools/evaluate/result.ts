/** What an evaluation found, as data and as text. Accuracies are shares, 0…1. */
import type { CollapseSignals } from "../../runtime/evaluate/collapse";
import type { ProbedAttention } from "./attentive-probe";
import type { FewLabels } from "./few-labels";
import type { Choice, ProbedHeads } from "./heads";
import type { Accuracy } from "./interval";

export const protocolNames = ["knn", "linear", "few-labels", "collapse", "lidar", "heads", "attentive"] as const;
export type ProtocolName = (typeof protocolNames)[number];
/** What is measured where nothing is asked for. `heads` reads every training image once for each of its epochs, `attentive` keeps features of every patch. */
export const usualProtocols: readonly ProtocolName[] = ["knn", "linear", "few-labels", "collapse", "lidar"];

export type EvaluatedEncoder = "target" | "context" | "only";
export const encoderWords: { readonly [E in EvaluatedEncoder]: string } = {
  target: "target encoder",
  context: "context encoder",
  only: "encoder",
};

/** What the data of an experiment are called where no others are given. */
export const ownData = { scenes: "rendered scenes of the experiment", images: "the images of the experiment" } as const;

export interface TaskAccuracy {
  readonly task: string;
  readonly knn?: Accuracy;
  /** On features without the covariance of the train split. */
  readonly knnWhitened?: Accuracy;
  /** `l2` beside a mean loss, chosen on the validation images. */
  readonly linear?: Accuracy & { readonly l2: number };
}

export interface RepresentationRow {
  /** "last layer", "last 4 layers" or "raw pixels (16×16)". */
  readonly representation: string;
  readonly dimension: number;
  readonly tasks: readonly TaskAccuracy[];
}

export interface ProbeResults {
  readonly experiment: string;
  readonly checkpoint: string;
  /** `only`: of an objective that has one encoder. */
  readonly encoder: EvaluatedEncoder;
  /** Optimizer steps; null of weights of others. */
  readonly step: number | null;
  readonly data: string;
  readonly images: { readonly train: number; readonly validation: number; readonly test: number };
  readonly neighbours: number;
  readonly protocols: readonly ProtocolName[];
  readonly tasks: readonly { readonly name: string; readonly classes: number; readonly chance: number }[];
  readonly rows: readonly RepresentationRow[];
  readonly fewLabels: readonly (FewLabels & { readonly task: string })[];
  readonly heads: readonly (ProbedHeads & { readonly task: string })[];
  readonly attentive: readonly ProbedAttention[];
  readonly collapse: CollapseSignals | null;
  readonly lidar: { readonly value: number; readonly images: number; readonly views: number } | null;
  /** What a reader has to know, a sentence each. */
  readonly notes: readonly string[];
}

export const percent = (share: number): string => (100 * share).toFixed(1);
export const withInterval = ({ value, interval: [low, high] }: Accuracy): string =>
  `${percent(value)} (${percent(low)}–${percent(high)})`;

/** Lines with their columns below each other; the first two are names. */
function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, c) => Math.max(...rows.map((row) => (row[c] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, c) => (c < 2 ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

export function resultText(results: ProbeResults): string {
  const { experiment, checkpoint, encoder, step, data, images } = results;
  const trained = step === null ? "" : ` at step ${step}`;
  return [
    `${experiment}, ${encoderWords[encoder]}${trained} (${checkpoint})`,
    `on ${data}: ${images.train} training, ${images.validation} validation and ${images.test} test images`,
    ...section(accuracyTable(results)),
    ...section(fewLabelTable(results)),
    ...section(results.heads.flatMap((heads) => headLines(heads))),
    ...section(results.attentive.flatMap((probed) => attentiveLines(probed))),
    ...section(signals(results)),
    "",
    ...explanations(results),
    ...results.notes,
  ].join("\n");
}

const section = (lines: readonly string[]): readonly string[] => (lines.length === 0 ? [] : ["", ...lines]);

function accuracyTable({ tasks, rows, protocols }: ProbeResults): readonly string[] {
  const columns = [
    ...(protocols.includes("linear") ? (["linear"] as const) : []),
    ...(protocols.includes("knn") ? (["knn", "knnWhitened"] as const) : []),
  ];
  if (columns.length === 0 || rows.length === 0) return [];
  const titles = { linear: "linear probe", knn: "k-NN", knnWhitened: "k-NN, whitened" } as const;
  const cell = (found: Accuracy | undefined): string => (found === undefined ? "" : withInterval(found));
  return aligned([
    ["task", "representation", ...columns.map((column) => titles[column])],
    ...tasks.flatMap(({ name, chance }, t) => [
      ...rows.map((row) => [name, row.representation, ...columns.map((column) => cell(row.tasks[t]?.[column]))]),
      [name, "most frequent class", ...columns.map(() => percent(chance))],
    ]),
  ]);
}

function fewLabelTable({ fewLabels }: ProbeResults): readonly string[] {
  if (fewLabels.length === 0) return [];
  return aligned([
    ["task", "labels", "images", "linear probe, mean ± sd", "draws"],
    ...fewLabels.map(({ task, labels, images, mean, std, draws }) => [
      task,
      labels,
      String(images),
      `${percent(mean)} ± ${percent(std)}`,
      String(draws.length),
    ]),
  ]);
}

export function headLines({
  task,
  heads,
  best,
  choice,
  epochs,
}: ProbedHeads & { readonly task: string }): readonly string[] {
  const norm = best.batchNorm ? "batch norm and linear" : "linear";
  return [
    `${task}: best of ${heads.length} heads in ${epochsText(epochs)} ${withInterval(best.test)}: ${norm} on ${best.layers}, ` +
      `learning rate ${best.learningRate}, weight decay ${best.weightDecay}`,
    choiceLine(best.validation, choice, "head"),
  ];
}

export function attentiveLines({
  task,
  epochs,
  images,
  heads,
  settings,
  best,
  choice,
}: ProbedAttention): readonly string[] {
  return [
    `${task}: attentive probe ${withInterval(best.test)}: ${heads} heads over the patches of ${images} training images, best of ` +
      `${settings.length} settings in ${epochsText(epochs)}: learning rate ${best.learningRate}, weight decay ${best.weightDecay}`,
    choiceLine(best.validation, choice, "setting"),
  ];
}

function choiceLine(validation: number, { optimism, medianTest, bestTest }: Choice, of: string): string {
  const points = `${optimism < 0 ? "−" : "+"}${percent(Math.abs(optimism))}`;
  return (
    `  chosen on validation (${percent(validation)}); that flatters by ${points} points over the test ` +
    `images; the median ${of} has ${percent(medianTest)}, the best on test ${percent(bestTest)}`
  );
}

function signals({ collapse, lidar }: ProbeResults): readonly string[] {
  const parts = [
    ...(collapse === null
      ? []
      : [`RankMe ${collapse.rankMe.toFixed(1)}`, `spread ${collapse.featureSpread.toPrecision(2)}`]),
    ...(lidar === null ? [] : [`LiDAR ${lidar.value.toFixed(1)} (${lidar.images} images × ${lidar.views} views)`]),
  ];
  return parts.length === 0 ? [] : [parts.join(", ")];
}

/** What the measures are, a sentence each. */
export function explanations({
  images,
  protocols,
  neighbours,
}: Pick<ProbeResults, "images" | "protocols" | "neighbours">): readonly string[] {
  const of: { readonly [P in ProtocolName]: string } = {
    knn: `k-NN: the ${Math.min(neighbours, images.train)} nearest training images by cosine, weighted.`,
    linear: "Linear probe: logistic regression, its L2 strength chosen on the validation images.",
    "few-labels": "Few labels: logistic regression on so many labels alone, with a fixed L2 strength (C = 1).",
    collapse: "RankMe and spread are signals of collapse, not scores.",
    lidar: "LiDAR is RankMe of what tells images apart from random crops of the same image.",
    attentive: "Attentive probe: one learnt query attends over the patches, a linear head reads what it gathers.",
    heads: "Heads: trained in one pass over augmented features (SGD; docs/evaluation.md).",
  };
  const areAccuracies = protocols.some((name) => name !== "collapse" && name !== "lidar");
  const accuracies = [
    "Accuracies in %, with Wilson's 95 % interval over the test images; another training may differ by more.",
  ];
  return [...(areAccuracies ? accuracies : []), ...protocols.map((name) => of[name])];
}

const epochsText = (epochs: number): string => (epochs === 1 ? "1 epoch" : `${epochs} epochs`);
