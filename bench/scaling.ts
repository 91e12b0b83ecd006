/**
 * How the step scales over ranks on this machine: `npm run bench:scaling`. Images per second for 1, 2 and 4 ranks that meet
 * through MPI, each with the same batch, and the share of a step in which gradients travel or a rank waits.
 *
 *   --ranks LIST     default 1,2,4
 *   --rounds N       process groups of each size (default 3), in turn
 *   --steps N        timed steps in each of them (default 5)
 *   --threads N      of each rank (default 1, so that ranks up to the number of cores do not share any)
 *   --only NAMES     of quickstart, tiny16; default: both
 *   --note TEXT      what else has to be known of this run, as a sentence
 *   --beside         the exchange of gradients beside the whole of the next step: what overlap could bring at most; no shares
 *   --record FILE    keeps the result as JSON; docs/scaling.json is the one in docs/scaling.md
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { applyEdits, modify } from "jsonc-parser";
import { build } from "../compiler/build";
import { bundle } from "../compiler/bundle/bundle";
import { compile } from "../compiler/compile";
import { specFromText } from "../compiler/spec/load";
import { allParameters } from "../compiler/step/cost";
import { factsOf } from "../compiler/step/facts";
import { findMpirun, type Mpirun, mpirunArguments } from "../runtime/ranks/spawn/mpirun";
import {
  type MeasuredRanks,
  type ScalingRecord,
  type ScalingSubject,
  scalingIntroduction,
  scalingTable,
} from "./scaling-record";

const root = fileURLToPath(new URL("..", import.meta.url));

const subjects = [
  { name: "quickstart", file: "experiments/quickstart.json", title: "Quickstart, 64 pixels", batchPerRank: 16 },
  { name: "tiny16", file: "bench/experiments/tiny16.json", title: "ViT-Ti/16, 224 pixels", batchPerRank: 16 },
] as const;

interface Driver {
  readonly script: string;
  readonly reducedBytes: number;
}

/** The experiment for so many ranks, with the same batch on each, bundled with bench/ranks-driver.ts. */
async function buildDriver(file: string, ranks: number, batchPerRank: number): Promise<Driver> {
  const changes: readonly [path: readonly string[], value: number][] = [
    [["hardware", "gpus"], ranks],
    [["optimization", "globalBatch"], ranks * batchPerRank],
  ];
  const text = changes.reduce(
    (before, [path, value]) => applyEdits(before, modify(before, [...path], value, {})),
    readFileSync(join(root, file), "utf8"),
  );
  const loaded = specFromText({ text, file: join(root, file) });
  if (!loaded.ok) throw new Error(`${file} for ${ranks} ranks: ${JSON.stringify(loaded.diagnostics)}`);
  const files = compile(loaded).files.map((each) => ({
    name: each.name,
    text:
      each.name === "main.ts" ? each.text.replace('"ijepa/runtime/trainer"', '"ijepa/bench/ranks-driver"') : each.text,
  }));
  const { plan, step } = build(loaded);
  const parameters = allParameters(factsOf(step, plan).parameters);
  const folder = join(tmpdir(), "ijepa-bench");
  mkdirSync(folder, { recursive: true });
  const script = join(folder, `${loaded.spec.name}-${ranks}-ranks.cjs`);
  writeFileSync(script, await bundle({ files, banner: "" }));
  return { script, reducedBytes: 4 * parameters };
}

function runOnce(mpirun: Mpirun, ranks: number, driver: Driver, args: readonly string[]): MeasuredRanks {
  const own = [process.execPath, driver.script, ...args] as const;
  const options = { ranks, cores: availableParallelism(), isRoot: process.getuid?.() === 0, command: own };
  const [program, ...rest] = ranks === 1 ? own : ([mpirun.path, ...mpirunArguments(mpirun.kind, options)] as const);
  const paths = [process.env.NODE_PATH ?? "", join(root, "node_modules")].filter((path) => path !== "");
  const { status, stdout, stderr } = spawnSync(program, rest, {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, NODE_PATH: paths.join(delimiter) },
  });
  const line = stdout.split("\n").findLast((text) => text.startsWith("{"));
  if (line === undefined || status !== 0)
    throw new Error(`${ranks} ranks ended with ${status}: ${stderr.slice(-2000)}`);
  // One line of ranks-driver.ts, from this type.
  return JSON.parse(line) as MeasuredRanks;
}

function versionOf({ path, kind }: Mpirun): string {
  const said = spawnSync(path, ["--version"], { encoding: "utf8" }).stdout;
  return `${kind} ${/\d+\.\d+(\.\d+)?/.exec(said)?.[0] ?? ""}`.trim();
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      ranks: { type: "string", default: "1,2,4" },
      rounds: { type: "string", default: "3" },
      steps: { type: "string", default: "5" },
      threads: { type: "string", default: "1" },
      only: { type: "string" },
      note: { type: "string" },
      beside: { type: "boolean", default: false },
      record: { type: "string" },
    },
  });
  const mpirun = findMpirun(process.env);
  const sizes = values.ranks.split(",").map(Number);
  const only = values.only?.split(",");
  const found: ScalingSubject[] = [];
  const record: ScalingRecord = {
    date: new Date().toISOString().slice(0, 10),
    processor: cpus()[0]?.model.trim() ?? "unknown processor",
    cores: availableParallelism(),
    node: process.versions.node,
    mpi: versionOf(mpirun),
    threadsPerRank: Number(values.threads),
    rounds: Number(values.rounds),
    steps: Number(values.steps),
    note: values.note ?? null,
    subjects: found,
  };
  console.log(scalingIntroduction(record));
  for (const { name, file, title, batchPerRank } of subjects) {
    if (only !== undefined && !only.includes(name)) continue;
    const sides = await Promise.all(
      sizes.map(async (ranks) => ({
        ranks,
        driver: await buildDriver(file, ranks, batchPerRank),
        rounds: [] as MeasuredRanks[],
      })),
    );
    for (let round = 0; round < record.rounds; round++) {
      for (const { ranks, driver, rounds } of sides) {
        process.stderr.write(`${name}, round ${round + 1}, ${ranks} ranks\n`);
        const args = ["--threads", values.threads, "--steps", values.steps, ...(values.beside ? ["--beside"] : [])];
        rounds.push(runOnce(mpirun, ranks, driver, args));
      }
    }
    const subject: ScalingSubject = {
      title,
      batchPerRank,
      reducedBytes: sides[0]?.driver.reducedBytes ?? 0,
      sides: sides.map(({ ranks, rounds }) => ({ ranks, rounds })),
    };
    found.push(subject);
    console.log(`\n${scalingTable(subject, record.cores)}`);
    if (values.record !== undefined) writeFileSync(values.record, `${JSON.stringify(record, null, 2)}\n`);
  }
}

await main();
