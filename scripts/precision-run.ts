/**
 * A spec trained on engine xla in float32 and in bfloat16, for some seeds: losses and linear probes side by side.
 *
 *   npx tsx scripts/precision-run.ts [--seeds 0,1,2] [--steps 300] [--spec experiments/quickstart.json] [--device cpu]
 *     [--record docs/precision.json]
 *
 * Both begin with the same weights and see the same images and masks, so what differs comes from rounding. How much of a
 * difference means nothing is what another seed makes: the last column of the table has it. A run that ends before its last
 * step (--steps) has no probe and cannot be recorded.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "jsonc-parser";
import { stepLosses, trained } from "./losses";
import { lossParts, type PrecisionRecord, type PrecisionRun, precisionTable } from "./precision-page";

const { values: flags } = parseArgs({
  options: {
    seeds: { type: "string", default: "0,1,2" },
    /** Left out: the whole run. */
    steps: { type: "string" },
    spec: { type: "string", default: "experiments/quickstart.json" },
    device: { type: "string", default: "cpu" },
    threads: { type: "string", default: "0" },
    record: { type: "string" },
  },
});

const folder = mkdtempSync(join(tmpdir(), "ijepa-precision-"));

async function runOf(seed: number, precision: "fp32" | "bf16"): Promise<PrecisionRun> {
  const spec: { hardware?: object } = parse(readFileSync(flags.spec, "utf8"));
  const events = await trained({
    spec: { ...spec, seed, hardware: { ...spec.hardware, engine: "xla", device: flags.device, precision } },
    home: join(folder, `${seed}-${precision}`),
    threads: flags.threads,
    ...(flags.steps === undefined ? {} : { steps: flags.steps }),
  });
  const report = events.findLast((event) => event.event === "evaluation")?.report;
  const [encoder] = report?.rows ?? [];
  return {
    seed,
    precision,
    // The place of the plugin is of no interest to others.
    engine: (events.find((event) => event.event === "start")?.engine ?? "unknown").replace(/\/\S*\//, ""),
    losses: lossParts([...stepLosses(events).values()]),
    probes: (report?.tasks ?? []).map(({ name }, i) => ({
      task: name,
      accuracy: encoder?.tasks[i]?.linearProbe ?? Number.NaN,
    })),
    testImages: report?.testImages ?? 0,
  };
}

try {
  const runs: PrecisionRun[] = [];
  for (const seed of flags.seeds.split(",").map(Number)) {
    for (const precision of ["fp32", "bf16"] as const) {
      const run = await runOf(seed, precision);
      runs.push(run);
      console.error(JSON.stringify(run));
    }
  }
  const record: PrecisionRecord = {
    spec: basename(flags.spec),
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    runs,
  };
  console.log(precisionTable(record));
  if (flags.record !== undefined) {
    if (flags.steps !== undefined) throw new Error("a run that was cut short is not recorded: leave --steps out");
    writeFileSync(flags.record, `${JSON.stringify(record, null, 2)}\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
