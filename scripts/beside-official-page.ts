/** The table of docs/beside-official.md: docs/official-runs.json beside docs/beside-official.json. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { markdownTable, pageWith, root } from "./regions";
import { accuracies, rankMes, type SeedsRecord, seedsInDocs } from "./seeds-record";
import { type Sample, sampleOf, standardErrorsApart } from "./statistics";

/** Mean and standard deviation over the seeds. */
type Pair = readonly [number, number];

/** What the official code came to. It was evaluated by our runtime, which reads its checkpoints. */
export interface OfficialRuns {
  readonly code: string;
  readonly date: string;
  readonly seeds: number;
  /** Accuracies in percent. */
  readonly probes: readonly { readonly task: string; readonly linearProbe: Pair; readonly knn: Pair }[];
  readonly rankMe: Pair;
  /** Mean of the last 512 steps. */
  readonly loss: Pair;
}

/** docs/beside-official.md with its table as it should be. */
export function besideOfficialPage(): string {
  // Written by hand, from this type.
  const official = JSON.parse(readFileSync(join(root, "docs/official-runs.json"), "utf8")) as OfficialRuns;
  return pageWith("docs/beside-official.md", { table: besideOfficial(official, seedsInDocs("beside-official.json")) });
}

export function besideOfficial(official: OfficialRuns, { runs, date, engine }: SeedsRecord): string {
  const row = (name: string, [mean, deviation]: Pair, ours: Sample, digits: number): readonly string[] => {
    const theirs: Sample = { mean, deviation, seeds: official.seeds };
    const text = (sample: Sample) => `${sample.mean.toFixed(digits)} ± ${sample.deviation.toFixed(digits)}`;
    const apart = standardErrorsApart(ours, theirs);
    return [name, text(theirs), text(ours), `${apart < 0 ? "−" : "+"}${Math.abs(apart).toFixed(1)}`];
  };
  const heads = [
    "",
    `official, ${official.seeds} seeds`,
    `ours, ${runs.length} seeds`,
    "ours − official, in standard errors",
  ];
  const rows = [
    ...official.probes.flatMap(({ task, linearProbe, knn }) => [
      row(`${task}, linear probe, %`, linearProbe, accuracies(runs, 0, task, "linearProbe"), 1),
      row(`${task}, k-NN, %`, knn, accuracies(runs, 0, task, "knn"), 1),
    ]),
    row("RankMe", official.rankMe, rankMes(runs), 1),
    row("loss of the last 512 steps", official.loss, sampleOf(runs.map(({ loss }) => loss)), 3),
  ];
  return `Official: ${official.code}, ${official.date}. Ours: ${engine}, ${date}. Mean ± standard deviation over seeds.\n\n${markdownTable(heads, rows)}`;
}
