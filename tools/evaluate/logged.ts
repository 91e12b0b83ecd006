/** What `ijepa evaluate` found of the checkpoints of a run, read back from its log: one row for each measure. */
import type { LogEvent } from "../../runtime/report/jsonl";
import {
  attentiveLines,
  type EvaluatedEncoder,
  encoderWords,
  explanations,
  headLines,
  ownData,
  type ProbeResults,
  percent,
  withInterval,
} from "./result";

/** As text, and what it is sorted by. */
export interface ProbeValue {
  readonly text: string;
  readonly by: number;
}

export interface ProbeRow {
  readonly measure: Measure;
  /** Of which features: "last layer", "raw pixels (16×16)", "all patches". */
  readonly features: string;
  /** "target encoder"; empty of what no encoder takes part in. */
  readonly encoder: string;
  /** As a person named it; `ownData` of the data of the run. */
  readonly data: string;
  /** Optimizer steps of the checkpoint. */
  readonly step: number;
  /** Accuracies by label, in percent. */
  readonly accuracies: ReadonlyMap<string, ProbeValue>;
  /** Of a measure that needs no label. */
  readonly signal: ProbeValue | null;
}

export interface LoggedProbes {
  readonly rows: readonly ProbeRow[];
  /** Labels in their order. */
  readonly tasks: readonly string[];
  /** How those that were chosen among several were trained, and what the choice flatters by: a line each. */
  readonly choices: readonly string[];
  /** What a reader has to know, a sentence each. */
  readonly notes: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null;
const isList = (value: unknown, check: (entry: Fields) => boolean): boolean =>
  Array.isArray(value) && value.every((entry: unknown) => isFields(entry) && check(entry));
const isNumber = (value: unknown): boolean => Number.isFinite(value);
const isText = (value: unknown): value is string => typeof value === "string";
const isAccuracy = (value: unknown): boolean =>
  isFields(value) && isNumber(value.value) && Array.isArray(value.interval) && value.interval.every(isNumber);
const isChosen = ({ task, epochs, best, choice }: Fields): boolean =>
  isText(task) &&
  isNumber(epochs) &&
  isFields(best) &&
  isAccuracy(best.test) &&
  [best.validation, best.learningRate, best.weightDecay].every(isNumber) &&
  isFields(choice) &&
  [choice.optimism, choice.medianTest, choice.bestTest].every(isNumber);

/** What is read below; another version may have written something else. */
function isResults(value: object): value is ProbeResults {
  const found: { readonly [K in keyof ProbeResults]?: unknown } = value;
  const { images, collapse, lidar, protocols, notes } = found;
  return (
    [found.experiment, found.checkpoint, found.data].every(isText) &&
    isText(found.encoder) &&
    Object.hasOwn(encoderWords, found.encoder) &&
    isFields(images) &&
    [images.train, images.validation, images.test].every(isNumber) &&
    [protocols, notes].every((list) => Array.isArray(list) && list.every(isText)) &&
    isList(found.tasks, ({ name, chance }) => isText(name) && isNumber(chance)) &&
    isList(
      found.rows,
      ({ representation, tasks }) =>
        isText(representation) &&
        isList(tasks, ({ task, ...measures }) => isText(task) && Object.values(measures).every(isAccuracy)),
    ) &&
    isList(
      found.fewLabels,
      ({ task, labels, mean, std }) => [task, labels].every(isText) && [mean, std].every(isNumber),
    ) &&
    isList(found.heads, (one) => isChosen(one) && Array.isArray(one.heads)) &&
    isList(found.attentive, (one) => isChosen(one) && Array.isArray(one.settings)) &&
    (collapse === null || (isFields(collapse) && [collapse.rankMe, collapse.featureSpread].every(isNumber))) &&
    (lidar === null || (isFields(lidar) && isNumber(lidar.value)))
  );
}

/** The newest of every measure, by encoder and data; `of` says of which results. */
export function loggedProbes(
  events: readonly LogEvent[],
  of: (results: ProbeResults) => boolean = () => true,
): LoggedProbes {
  const results = events
    .flatMap((event) => (event.event === "probes" && isResults(event.results) ? [event.results] : []))
    .filter(of)
    .reverse();
  const rows = new Map<string, ProbeRow>();
  for (const one of results) {
    for (const row of rowsOf(one)) {
      const key = JSON.stringify([row.measure, row.features, row.encoder, row.data]);
      const known = rows.get(key);
      // Labels may have been asked for apart.
      const accuracies = new Map([...row.accuracies, ...(known?.step === row.step ? known.accuracies : [])]);
      if (known === undefined || known.step === row.step) rows.set(key, { ...row, ...known, accuracies });
    }
  }
  const ordered = [...rows.values()].sort((a, b) => orderOf(a) - orderOf(b));
  const tasks = [...new Set(results.toReversed().flatMap((one) => one.tasks.map(({ name }) => name)))];
  return {
    rows: ordered,
    tasks: tasks.filter((task) => ordered.some((row) => row.accuracies.has(task))),
    choices: choicesOf(results),
    notes: [...new Set([...results.flatMap(explanations), ...results.flatMap(({ notes }) => notes)])],
  };
}

/** Of the newest of each label. */
function choicesOf(results: readonly ProbeResults[]): readonly string[] {
  const lines = new Map<string, readonly string[]>();
  for (const { encoder, data, heads, attentive } of results) {
    const add = (measure: Measure, task: string, found: readonly string[]): void => {
      const key = JSON.stringify([measure, task, encoder, data]);
      if (!lines.has(key)) lines.set(key, found);
    };
    for (const one of heads) add("best of the heads", one.task, headLines(one));
    for (const one of attentive) add("attentive probe", one.task, attentiveLines(one));
  }
  return [...lines.values()].map((found) => found.map((line) => line.trim()).join("; "));
}

/** In the order in which they are shown. */
const measures = [
  "attentive probe",
  "best of the heads",
  "linear probe",
  "k-NN",
  "k-NN, whitened",
  "few labels",
  "most frequent class",
  "RankMe",
  "spread",
  "LiDAR",
] as const;
export type Measure = (typeof measures)[number];
const orderOf = ({ measure }: ProbeRow): number => measures.indexOf(measure);

function rowsOf(results: ProbeResults): readonly ProbeRow[] {
  const { data, tasks, rows, fewLabels, heads, attentive, collapse, lidar } = results;
  const about = { data, step: results.step ?? 0 };
  const encoder = encoderWords[results.encoder];
  const row = (measure: Measure, features: string, values: readonly (readonly [string, ProbeValue])[]) =>
    values.length === 0
      ? []
      : [
          {
            ...about,
            measure,
            features,
            encoder: features.startsWith("raw pixels") ? "" : encoder,
            accuracies: new Map(values),
            signal: null,
          },
        ];
  const signal = (measure: Measure, features: string, value: number, text: string): ProbeRow => ({
    ...about,
    measure,
    features,
    encoder,
    accuracies: new Map(),
    signal: { text, by: value },
  });
  const share = (value: number, text: string): ProbeValue => ({ text, by: 100 * value });
  const budgets = [...new Set(fewLabels.map(({ labels }) => labels))];
  const columns = [
    ["linear", "linear probe"],
    ["knn", "k-NN"],
    ["knnWhitened", "k-NN, whitened"],
  ] as const;
  return [
    ...row(
      "attentive probe",
      "all patches",
      attentive.map(({ task, best }) => [task, share(best.test.value, withInterval(best.test))]),
    ),
    ...row(
      "best of the heads",
      "by the choice",
      heads.map(({ task, best }) => [task, share(best.test.value, withInterval(best.test))]),
    ),
    ...columns.flatMap(([column, measure]) =>
      rows.flatMap(({ representation, tasks: found }) =>
        row(
          measure,
          representation,
          found.flatMap((one) => {
            const accuracy = one[column];
            return accuracy === undefined ? [] : [[one.task, share(accuracy.value, withInterval(accuracy))] as const];
          }),
        ),
      ),
    ),
    ...budgets.flatMap((budget) =>
      row(
        "few labels",
        `last layer, ${budget}`,
        fewLabels.flatMap(({ task, labels, mean, std }) =>
          labels === budget ? [[task, share(mean, `${percent(mean)} ± ${percent(std)}`)] as const] : [],
        ),
      ),
    ),
    ...row(
      "most frequent class",
      "",
      rows.length + fewLabels.length + heads.length + attentive.length === 0
        ? []
        : tasks.map(({ name, chance }) => [name, share(chance, percent(chance))]),
    ).map((one) => ({ ...one, encoder: "" })),
    ...(collapse === null
      ? []
      : [
          signal("RankMe", "last layer", collapse.rankMe, collapse.rankMe.toFixed(1)),
          signal("spread", "last layer", collapse.featureSpread, collapse.featureSpread.toPrecision(2)),
        ]),
    ...(lidar === null ? [] : [signal("LiDAR", "last layer", lidar.value, lidar.value.toFixed(1))]),
  ];
}

const judged: readonly EvaluatedEncoder[] = ["target", "only"];
export const isOwn = (data: string): boolean => Object.values<string>(ownData).includes(data);

/** Newest accuracies of the judged encoder on the run's own data that trainers do not measure themselves, by label. */
export function ownAccuracies(events: readonly LogEvent[]): ReadonlyMap<string, number> {
  const { rows } = loggedProbes(events, ({ data, encoder }) => isOwn(data) && judged.includes(encoder));
  return new Map(
    rows.flatMap(({ measure, accuracies }) =>
      measure === "attentive probe" || measure === "best of the heads"
        ? [...accuracies].map(([task, { by }]) => [`${task}: ${measure} (%)`, by] as const)
        : [],
    ),
  );
}
