/** The table of bfloat16 beside float32 in docs/engines.md, from docs/precision.json, which scripts/precision-run.ts writes. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

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

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const range = (values: readonly number[]): number => Math.max(...values) - Math.min(...values);
const percent = (share: number): string => (100 * share).toFixed(1);

/** Mean losses of the run's equal parts. */
export function lossParts(losses: readonly number[]): readonly number[] {
  const size = losses.length / PARTS;
  return Array.from({ length: PARTS }, (_, i) => mean(losses.slice(Math.floor(i * size), Math.floor((i + 1) * size))));
}

/** A row for each quantity: fp32 and bf16 seed by seed, how far they are apart, and how far seeds of fp32 are apart. */
export function precisionTable(record: PrecisionRecord): string {
  const fp32 = record.runs.filter(({ precision }) => precision === "fp32");
  const pairs = fp32.flatMap((run) => {
    const other = record.runs.find(({ seed, precision }) => precision === "bf16" && seed === run.seed);
    return other === undefined ? [] : [{ run, other }];
  });
  const row = (
    name: string,
    value: (run: PrecisionRun) => number,
    shown: (value: number) => string,
  ): readonly string[] => {
    const differences = pairs.map(({ run, other }) => value(other) - value(run));
    return [
      name,
      ...pairs.map(({ run, other }) => `${shown(value(run))} / ${shown(value(other))}`),
      shown(mean(differences)),
      shown(Math.max(...differences.map(Math.abs))),
      shown(range(pairs.map(({ run }) => value(run)))),
    ];
  };
  const probes = fp32[0]?.probes ?? [];
  const rows = [
    ...Array.from({ length: PARTS }, (_, i) =>
      row(
        `loss, fifth ${i + 1} of ${PARTS}`,
        ({ losses }) => losses[i] ?? Number.NaN,
        (loss) => loss.toFixed(4),
      ),
    ),
    ...probes.map(({ task }, i) =>
      row(`probe of ${task}, %`, ({ probes: found }) => found[i]?.accuracy ?? Number.NaN, percent),
    ),
  ];
  const seeds = pairs.map(({ run }) => `seed ${run.seed}, fp32 / bf16`);
  const heads = ["", ...seeds, "mean difference", "largest difference", "seeds of fp32 apart"];
  const lines = [heads, heads.map((_, i) => (i === 0 ? "---" : "---:")), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** The sentences and the table of docs/engines.md. */
export function precisionSection(): string {
  // Written by scripts/precision-run.ts, from this type.
  const text = readFileSync(fileURLToPath(new URL("../docs/precision.json", import.meta.url)), "utf8");
  const record = JSON.parse(text) as PrecisionRecord;
  const [first] = record.runs;
  const images = first?.testImages ?? 0;
  const error = percent(Math.SQRT1_2 / Math.sqrt(images));
  return [
    `\`${record.spec}\` in whole, on ${first?.engine ?? "an unknown engine"}, ${record.date}. ` +
      `The difference of two accuracies on ${images} images has a standard error of up to ${error} points.`,
    "",
    precisionTable(record),
  ].join("\n");
}
