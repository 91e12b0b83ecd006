/**
 * Whole runs of a spec for some seeds, by the trainers that the compiler writes: mean loss at the end, probes, k-NN, RankMe.
 *
 *   npx tsx scripts/seeds-run.ts experiments/quickstart.json --seeds 0,1,2 --record docs/quickstart-seeds.json
 *   npx tsx scripts/seeds-run.ts experiments/beside-official.json --seeds 0,1,2,3,4 --record docs/beside-official.json
 *
 * `--record` adds to the file where it is of the same spec, so that seeds can be trained one at a time.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "jsonc-parser";
import { loadSpec } from "../compiler/spec/load";
import { stepLosses, trained } from "./losses";
import { type SeedRun, type SeedsRecord, seedsRecord } from "./seeds-record";
import { mean } from "./statistics";

const LAST_STEPS = 512;

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: "string", default: "0,1,2" },
    threads: { type: "string", default: "0" },
    record: { type: "string" },
  },
});
const [spec] = positionals;
if (spec === undefined) throw new Error("which spec?");
const loaded = loadSpec(spec);
if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics, null, 1));

const folder = mkdtempSync(join(tmpdir(), "ijepa-seeds-"));
try {
  for (const seed of flags.seeds.split(",").map(Number)) {
    const { run, engine } = await runOf(spec, seed);
    const earlier = flags.record !== undefined && existsSync(flags.record) ? seedsRecord(flags.record) : null;
    const kept = earlier?.specHash === loaded.hash ? earlier.runs.filter((one) => one.seed !== seed) : [];
    const record: SeedsRecord = {
      spec,
      specHash: loaded.hash,
      engine,
      node: process.version,
      date: new Date().toISOString().slice(0, 10),
      runs: [...kept, run].sort((a, b) => a.seed - b.seed),
    };
    console.log(JSON.stringify(run));
    if (flags.record !== undefined) writeFileSync(flags.record, `${JSON.stringify(record, null, 2)}\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function runOf(file: string, seed: number): Promise<{ readonly run: SeedRun; readonly engine: string }> {
  const text: object = parse(readFileSync(file, "utf8"));
  const events = await trained({ spec: { ...text, seed }, home: join(folder, String(seed)), threads: flags.threads });
  const report = events.findLast((event) => event.event === "evaluation")?.report;
  const engine = events.find((event) => event.event === "start")?.engine;
  if (report === undefined || engine === undefined) throw new Error(`the run of seed ${seed} has no evaluation`);
  const losses = [...stepLosses(events).values()].slice(-LAST_STEPS);
  return { run: { seed, loss: mean(losses), report }, engine };
}
