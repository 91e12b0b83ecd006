/**
 * Replays the official traces and keeps what was measured in docs/parity.json, from which the tables of docs/parity.md are
 * made:  npx tsx scripts/parity-run.ts [--precision fp32|bf16]  (the other one stays as it is) && npm run generate
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));

export const traces = ["step_tiny_official_init", "step_odd_perturbed", "ddp2_tiny_official_init"] as const;

export interface MeasuredGroup {
  readonly group: string;
  readonly tensors: number;
  /** The tensor that uses the largest share of its tolerance. */
  readonly worst: string;
  readonly share: number;
}

export interface MeasuredTrace {
  readonly trace: string;
  readonly engine: string;
  readonly precision: "fp32" | "bf16";
  readonly groups: readonly MeasuredGroup[];
}

/** bf16: where XLA has a plugin, and in float64 with the same operands rounded, which is rounding alone. */
const runs = [
  { engine: "onnx", precision: "fp32" },
  { engine: "reference", precision: "fp32" },
  { engine: "xla", precision: "bf16" },
  { engine: "reference", precision: "bf16" },
] as const;

type Run = (typeof runs)[number];

function measured(trace: string, { engine, precision }: Run): MeasuredTrace {
  const file = join(root, "tests", "golden", "official", `${trace}.safetensors`);
  const args = [join(root, "bin", "ijepa.js"), "replay", file, "--engine", engine, "--precision", precision, "--json"];
  // The document of our own command.
  const report = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as Omit<MeasuredTrace, "trace">;
  return {
    trace,
    // A plugin lies in some folder of the machine.
    engine: report.engine.replace(/ by \S*\//, " by "),
    precision,
    groups: report.groups.map(({ group, tensors, worst, share }) => ({
      group,
      tensors,
      worst,
      share: Number(share.toPrecision(2)),
    })),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { precision: { type: "string" } } });
  const file = join(root, "docs", "parity.json");
  const isWanted = ({ precision }: Pick<Run, "precision">): boolean =>
    values.precision === undefined || values.precision === precision;
  // Written below.
  const kept = (JSON.parse(readFileSync(file, "utf8")) as readonly MeasuredTrace[]).filter((each) => !isWanted(each));
  const found = traces.flatMap((trace) => runs.filter(isWanted).map((run) => measured(trace, run)));
  const sorted = [...kept, ...found].sort((a, b) => b.precision.localeCompare(a.precision));
  writeFileSync(file, `${JSON.stringify(sorted, null, 2)}\n`);
}
