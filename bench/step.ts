/**
 * The benchmark of the training step: `npm run bench`. Times the generated step on every engine and device that is here,
 * beside the same step in plain PyTorch (bench/peers/pytorch_step.py): in turn, each in a process of its own, on the same
 * cores with the same shapes.
 *
 *   --rounds N       processes of each side (default 3)
 *   --steps N        timed steps in each of them (default 5)
 *   --threads N      default: all cores
 *   --only NAMES     of quickstart, tiny16, small16; default: all, with commas
 *   --engines NAMES  of onnx:cpu, onnx:webgpu, tfjs:gpu, tfjs:cpu, tfjs:wasm, tfjs:js, xla:cpu, xla:gpu, torch; default: all that can do a
 *                    size in seconds, so wasm and js only take part in the quickstart
 *   --limit S        no step of a process begins after so many seconds (default 20)
 *   --note TEXT      what else has to be known of this run, as a sentence
 *   --record FILE    keeps the result as JSON; docs/bench.json is the one in docs/engines.md
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { allSubjects } from "../tools/doctor/subjects";
import { buildDriver } from "./build";
import { type BenchRecord, type BenchSubject, introduction, type Measured, tableOf } from "./record";

/** A processor that plays a GPU says nothing of GPUs, only that the engine works. */
const isSoftware = /swiftshader/i.test(`${process.env.VK_ICD_FILENAMES}${process.env.VK_DRIVER_FILES}`);

const root = fileURLToPath(new URL("..", import.meta.url));

interface Subject {
  readonly name: string;
  readonly file: string;
  readonly title: string;
  readonly batch: number;
  readonly contextTokens: number;
  readonly targetTokens: number;
  /** The same network, for the peer. */
  readonly peer: readonly string[];
  /** Whether engines without native code do a step in seconds. */
  readonly isSmall: boolean;
}

const subjects: readonly Subject[] = [
  {
    name: "quickstart",
    file: "experiments/quickstart.json",
    title: "Quickstart, 64 pixels, batch 16",
    batch: 16,
    contextTokens: 14,
    targetTokens: 16,
    peer: [
      ...["--dim", "96", "--depth", "3", "--heads", "3", "--pdim", "48", "--pdepth", "2", "--batch", "16"],
      ...["--image", "64", "--patch", "8"],
    ],
    isSmall: true,
  },
  {
    name: "tiny16",
    file: "bench/experiments/tiny16.json",
    title: "ViT-Ti/16, 224 pixels, batch 16, predictor 96×6",
    batch: 16,
    contextTokens: 76,
    targetTokens: 36,
    peer: ["--dim", "192", "--depth", "12", "--heads", "3", "--pdim", "96", "--pdepth", "6", "--batch", "16"],
    isSmall: false,
  },
  {
    name: "small16",
    file: "bench/experiments/small16.json",
    title: "ViT-S/16, 224 pixels, batch 8, predictor 192×6",
    batch: 8,
    contextTokens: 76,
    targetTokens: 36,
    peer: ["--dim", "384", "--depth", "12", "--heads", "6", "--pdim", "192", "--pdepth", "6", "--batch", "8"],
    isSmall: false,
  },
];

/** A side while it is measured. */
interface Running {
  readonly id: string;
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly rounds: Measured[];
  absent: string | null;
}

/** Adds a round, or the reason why there is none. */
function runOnce(side: Running): void {
  const [command, ...args] = side.command;
  const paths = [process.env.NODE_PATH ?? "", join(root, "node_modules")].filter((path) => path !== "");
  const { status, signal, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, NODE_PATH: paths.join(delimiter), TF_CPP_MIN_LOG_LEVEL: "1" },
  });
  // Both scripts print one line of JSON with these fields, or ours says what is absent; libraries may print more.
  const line = stdout.split("\n").findLast((text) => text.startsWith("{"));
  if (line === undefined || status !== 0) {
    side.absent = `failed (${signal ?? `exit ${status}`}): ${stderr.trim().split("\n").slice(-3).join(" ")}`;
    return;
  }
  const found = JSON.parse(line) as Measured | { readonly absent: string };
  if ("absent" in found) side.absent = reasonOf(found.absent);
  else side.rounds.push(found);
}

/** The first sentence of an error, without its code; of a missing package or plugin not where it was looked for. */
function reasonOf(message: string): string {
  const isMissing = /^R10[15]/.test(message);
  const [sentence = message] = message.replace(/^R\d+: /, "").split(isMissing ? /: / : /\. /);
  return `${sentence}.`;
}

/** The version of PyTorch, or undefined where there is none. */
function torchVersion(): string | undefined {
  const { status, stdout } = spawnSync("python3", ["-c", "import torch; print(torch.__version__)"], {
    encoding: "utf8",
  });
  return status === 0 ? stdout.trim() : undefined;
}

interface Flags {
  readonly rounds: number;
  readonly steps: string;
  readonly threads: string;
  readonly limit: string;
  /** Undefined: what a size is meant for. */
  readonly engines: readonly string[] | undefined;
}

async function sidesOf(subject: Subject, flags: Flags): Promise<readonly Running[]> {
  const shared = [
    ...["--context", String(subject.contextTokens), "--target", String(subject.targetTokens)],
    ...["--threads", flags.threads, "--steps", flags.steps],
  ];
  const driver = await buildDriver(subject.file);
  const script = fileURLToPath(new URL("peers/pytorch_step.py", import.meta.url));
  const torch = torchVersion();
  const all: readonly Running[] = [
    {
      id: "torch",
      name: torch === undefined ? "PyTorch" : `PyTorch ${torch}`,
      command: ["python3", script, ...subject.peer, ...shared, "--json"],
      rounds: [],
      absent: torch === undefined ? "python3 has no package torch." : null,
    },
    ...allSubjects().map(
      ({ engine, device }): Running => ({
        id: `${engine}:${device}`,
        name: `${engine} ${device}`,
        command: [process.execPath, driver, "--engine", engine, "--device", device, "--limit", flags.limit, ...shared],
        rounds: [],
        absent: null,
      }),
    ),
  ];
  const { engines } = flags;
  if (engines !== undefined) return all.filter(({ id }) => engines.includes(id));
  return all.filter(({ id }) => subject.isSmall || !["tfjs:wasm", "tfjs:js"].includes(id));
}

async function measured(subject: Subject, flags: Flags): Promise<BenchSubject> {
  const sides = await sidesOf(subject, flags);
  for (let round = 0; round < flags.rounds; round++) {
    for (const side of sides.filter(({ absent }) => absent === null)) {
      process.stderr.write(`${subject.name}, round ${round + 1}, ${side.name}\n`);
      runOnce(side);
    }
  }
  const { title, batch, contextTokens, targetTokens } = subject;
  return {
    title,
    batch,
    contextTokens,
    targetTokens,
    sides: sides.map(({ name, rounds, absent }) => ({
      name: name === "onnx webgpu" && isSoftware ? `${name} (SwiftShader)` : name,
      rounds,
      absent,
    })),
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "3" },
      steps: { type: "string", default: "5" },
      threads: { type: "string", default: String(availableParallelism()) },
      only: { type: "string" },
      engines: { type: "string" },
      limit: { type: "string", default: "20" },
      note: { type: "string" },
      record: { type: "string" },
    },
  });
  const flags: Flags = { ...values, rounds: Number(values.rounds), engines: values.engines?.split(",") };
  const only = values.only?.split(",");
  const found: BenchSubject[] = [];
  const record: BenchRecord = {
    date: new Date().toISOString().slice(0, 10),
    processor: cpus()[0]?.model.trim() ?? "unknown processor",
    threads: Number(flags.threads),
    node: process.versions.node,
    rounds: flags.rounds,
    steps: Number(flags.steps),
    note: values.note ?? null,
    subjects: found,
  };
  console.log(introduction(record));
  for (const subject of subjects.filter(({ name }) => only === undefined || only.includes(name))) {
    const one = await measured(subject, flags);
    found.push(one);
    console.log(`\n${tableOf(one)}`);
    if (values.record !== undefined) writeFileSync(values.record, `${JSON.stringify(record, null, 2)}\n`);
  }
}

await main();
