/** The table of bfloat16 beside float32 in docs/engines.md, from docs/precision.json, which scripts/precision-run.ts writes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { markdownTable, root } from "./regions";
import { deviation, mean } from "./statistics";

export interface PrecisionRun {
  readonly seed: number;
  readonly precision: "fp32" | "bf16";
  readonly engine: string;
  /** Mean loss of each fifth of the run. */
  readonly losses: readonly number[];
  /** Linear probe of the target encoder. */
  readonly probes: readonly { readonly task: string; readonly accuracy: number }[];
  /** 0 where the run was cut short and nothing was evaluated. */
  readonly testImages: number;
}

export interface PrecisionRecord {
  readonly spec: string;
  readonly date: string;
  readonly node: string;
  readonly runs: readonly PrecisionRun[];
}

const PARTS = 5;

/** Mean losses of the run's equal parts. */
export function lossParts(losses: readonly number[]): readonly number[] {
  const size = losses.length / PARTS;
  return Array.from({ length: PARTS }, (_, i) => mean(losses.slice(Math.floor(i * size), Math.floor((i + 1) * size))));
}

/** A row for each quantity: the seeds' mean and standard deviation in each precision, and the difference seed by seed. */
export function precisionTable(record: PrecisionRecord): string {
  const of = (precision: PrecisionRun["precision"]) => record.runs.filter((run) => run.precision === precision);
  const pairs = of("fp32").flatMap((fp32) => {
    const bf16 = of("bf16").find(({ seed }) => seed === fp32.seed);
    return bf16 === undefined ? [] : [{ fp32, bf16 }];
  });
  const row = ({ name, value, digits }: Quantity): readonly string[] => {
    const plain = (values: readonly number[]) =>
      `${mean(values).toFixed(digits)} ± ${deviation(values).toFixed(digits)}`;
    const differences = pairs.map(({ fp32, bf16 }) => value(bf16) - value(fp32));
    const error = deviation(differences) / Math.sqrt(differences.length);
    return [
      name,
      plain(pairs.map(({ fp32 }) => value(fp32))),
      plain(pairs.map(({ bf16 }) => value(bf16))),
      `${mean(differences).toFixed(digits)} ± ${error.toFixed(digits)}`,
    ];
  };
  const heads = ["", "fp32", "bf16", "bf16 − fp32"];
  return markdownTable(heads, quantities(record.runs).map(row));
}

interface Quantity {
  readonly name: string;
  readonly value: (run: PrecisionRun) => number;
  readonly digits: number;
}

function quantities([first]: readonly PrecisionRun[]): readonly Quantity[] {
  const losses = Array.from({ length: PARTS }, (_, i) => ({
    name: `loss, fifth ${i + 1} of ${PARTS}`,
    value: (run: PrecisionRun) => run.losses[i] ?? Number.NaN,
    digits: 4,
  }));
  const probes = (first?.probes ?? []).map(({ task }, i) => ({
    name: `linear probe of ${task}, %`,
    value: (run: PrecisionRun) => 100 * (run.probes[i]?.accuracy ?? Number.NaN),
    digits: 1,
  }));
  return [...losses, ...probes];
}

/** The section of docs/engines.md. */
export function precisionSection(): string {
  // Written by scripts/precision-run.ts, from this type.
  const record = JSON.parse(readFileSync(join(root, "docs/precision.json"), "utf8")) as PrecisionRecord;
  const [first] = record.runs;
  const seeds = new Set(record.runs.map(({ seed }) => seed)).size;
  return [
    `\`${record.spec}\`, whole runs of ${seeds} seeds on ${first?.engine ?? "an unknown engine"}, ${record.date}. Both ` +
      "precisions of a seed begin with the same weights and see the same images and masks. Beside a mean stands the " +
      `standard deviation of seeds, beside the difference its standard error; probes have ${first?.testImages ?? 0} test images.`,
    "",
    precisionTable(record),
  ].join("\n");
}
