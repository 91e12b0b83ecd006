/** The tables of docs/quickstart.md, from docs/quickstart-seeds.json. */
import { formatMarkdown, standardError } from "../runtime/evaluate/evaluation-report";
import { markdownTable, pageWith } from "./regions";
import { percentOf, type SeedRun, seedsInDocs } from "./seeds-record";
import { mean } from "./statistics";

/** docs/quickstart.md with its tables as they should be. */
export function quickstartPage(): string {
  const { runs } = seedsInDocs("quickstart-seeds.json");
  return pageWith("docs/quickstart.md", {
    seeds: runs.map(({ seed, report }) => `Seed ${seed}:\n\n${formatMarkdown(report)}`).join("\n\n"),
    added: addedTable(runs),
  });
}

const baselines = [
  { row: 1, name: "random initialization" },
  { row: 2, name: "raw pixels" },
];

/** By how many points the linear probe of the trained encoder is above each baseline, seed by seed. */
export function addedTable(runs: readonly SeedRun[]): string {
  const [first] = runs;
  const tasks = (first?.report.tasks ?? []).map(({ name }) => name);
  const rows = tasks.flatMap((task) =>
    baselines.map(({ row, name }) => {
      const added = runs.map(
        ({ report }) => percentOf(report, 0, task, "linearProbe") - percentOf(report, row, task, "linearProbe"),
      );
      return [`${task}, over ${name}`, ...added.map(signed), signed(mean(added))];
    }),
  );
  const error = 100 * Math.SQRT2 * standardError(first?.report.testImages ?? 1);
  return [
    markdownTable(["", ...runs.map(({ seed }) => `seed ${seed}`), "mean"], rows),
    "",
    `For one seed, chance in ${first?.report.testImages ?? 0} test images alone moves such a difference by up to ±${error.toFixed(1)} (one standard error).`,
  ].join("\n");
}

const signed = (points: number): string => `${points < 0 ? "−" : "+"}${Math.abs(points).toFixed(1)}`;
