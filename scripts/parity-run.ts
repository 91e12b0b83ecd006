/**
 * Replays the official traces on both engines and keeps what was measured in docs/parity.json, from which
 * docs/parity.md's table is made:  tsx scripts/parity-run.ts
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

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
  readonly groups: readonly MeasuredGroup[];
}

function measured(trace: string, engine: "onnx" | "reference"): MeasuredTrace {
  const file = join(root, "tests", "golden", "official", `${trace}.safetensors`);
  const args = [join(root, "bin", "ijepa.js"), "replay", file, "--engine", engine, "--json"];
  // The document of our own command.
  const report = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as Omit<MeasuredTrace, "trace">;
  return {
    trace,
    engine: report.engine,
    groups: report.groups.map(({ group, tensors, worst, share }) => ({
      group,
      tensors,
      worst,
      share: Number(share.toPrecision(2)),
    })),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const results = traces.flatMap((trace) => (["onnx", "reference"] as const).map((engine) => measured(trace, engine)));
  writeFileSync(join(root, "docs", "parity.json"), `${JSON.stringify(results, null, 2)}\n`);
}
