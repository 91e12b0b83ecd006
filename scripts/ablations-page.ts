/** The tables of docs/ablations.md: what the grids on the quickstart came to (docs/ablations.json) beside the paper's figures. */
import { join } from "node:path";
import { markdownTable, pageWith, root } from "./regions";
import { type Sample, sampleOf, standardErrorsApart } from "./statistics";
import { meansOfTasks, type SweptGroup, type SweptRecord, sweptRecords, tasks, valuesOf } from "./sweeps-record";

/** A table of the paper: accuracy at 1 % of the labels in percent, by the labels of our grid. */
interface PaperTable {
  readonly table: string;
  readonly sweep: string;
  readonly title: string;
  readonly values: Readonly<Record<string, number>>;
}

/** Assran et al. 2023, Tables 6 to 13; the order is that of the page. */
const paperTables: readonly PaperTable[] = [
  {
    table: "6",
    sweep: "masking",
    title: "How context and targets are chosen",
    values: { multiblock: 54.2, rasterized: 15.5, block: 20.2, random: 17.6 },
  },
  {
    table: "7",
    sweep: "target-space",
    title: "What is predicted",
    values: { representations: 66.9, pixels: 40.7 },
  },
  {
    table: "8",
    sweep: "target-scale",
    title: "How large targets are",
    values: { "075-200": 19.2, "100-200": 39.2, "125-200": 42.4, "150-200": 54.2, "200-250": 38.9, "200-300": 33.6 },
  },
  {
    table: "9",
    sweep: "context-scale",
    title: "How large the context is",
    values: { "40": 31.2, "65": 47.1, "75": 49.3, "85": 54.2 },
  },
  {
    table: "10",
    sweep: "target-count",
    title: "How many blocks are predicted",
    values: { count1: 9, count2: 22, count3: 48.5, count4: 54.2 },
  },
  {
    table: "11",
    sweep: "target-masking",
    title: "Where the target encoder is masked",
    values: { output: 67.3, input: 56.1 },
  },
  { table: "13", sweep: "weight-decay", title: "Weight decay", values: { grows: 69.4, stays: 70.7 } },
];

export function ablationsPage(): string {
  return pageWith("docs/ablations.md", { tables: ablations(sweptRecords(join(root, "docs/ablations.json"))) });
}

/** A section for each table of the paper that was run; the others by name. */
export function ablations(records: readonly SweptRecord[]): string {
  const recordOf = (sweep: string) => records.find((record) => record.sweep === sweep);
  const sections = paperTables.flatMap((table) => {
    const record = recordOf(table.sweep);
    return record === undefined ? [] : [section(table, record)];
  });
  const missing = paperTables.filter(({ sweep }) => recordOf(sweep) === undefined);
  const left = missing.map(({ table, sweep }) => `Table ${table} (${sweep})`).join(", ");
  return [...sections, ...(left === "" ? [] : [`Not trained so far: ${left}.`])].join("\n\n");
}

function section({ table, title, values }: PaperTable, { grid, engine, date, seeds, groups }: SweptRecord): string {
  const rows = groups.flatMap((group): Row[] => {
    const label = group.labels.join(" ");
    const paper = values[label];
    return paper === undefined ? [] : [{ label, paper, group, mean: sampleOf(meansOfTasks(group, "linearProbe")) }];
  });
  const heads = ["", "paper", ...tasks.map((task) => `${task}, %`), "mean of the three, %"];
  const cells = rows.map(({ label, paper, group, mean }) => [
    label,
    paper.toFixed(1),
    ...tasks.map((task) => percent(sampleOf(valuesOf(group, `${task}.linearProbe`)))),
    percent(mean),
  ]);
  const epochs = [...new Set(rows.map(({ group }) => group.epochs))].join(" and ");
  return [
    `## Table ${table}: ${title.toLowerCase()}`,
    markdownTable(heads, cells),
    `${verdict(rows)} [${grid.split("/").at(-1)}](../${grid}), ${epochs} epochs, seeds ${seeds.join(", ")}, ${date}, ${engine}.`,
  ].join("\n\n");
}

interface Row {
  readonly label: string;
  readonly paper: number;
  readonly group: SweptGroup;
  readonly mean: Sample;
}

/** A pair of rows counts where its difference is more than this many standard errors. */
const BEYOND_NOISE = 2;

/** How many pairs of rows stand in the order of the paper. */
export function verdict(rows: readonly Pick<Row, "paper" | "mean">[]): string {
  const pairs = rows.flatMap((a, i) => rows.slice(i + 1).map((b) => [a, b] as const));
  const signs = pairs.map(([a, b]) => {
    const apart = standardErrorsApart(a.mean, b.mean) * Math.sign(a.paper - b.paper);
    return Math.abs(apart) > BEYOND_NOISE ? Math.sign(apart) : 0;
  });
  const count = (sign: number): number => signs.filter((one) => one === sign).length;
  const of = pairs.length === 1 ? "The pair" : `Of ${pairs.length} pairs`;
  if (pairs.length === 1) {
    const words = {
      "1": "stands in the order of the paper",
      "-1": "stands the other way round",
      "0": "is within noise",
    };
    return `${of} ${count(1) === 1 ? words["1"] : count(-1) === 1 ? words["-1"] : words["0"]}.`;
  }
  return `${of}, ${count(1)} stand in the order of the paper, ${count(-1)} the other way round, ${count(0)} are within noise.`;
}

const percent = ({ mean, deviation }: Sample): string => `${mean.toFixed(1)} ± ${deviation.toFixed(1)}`;
