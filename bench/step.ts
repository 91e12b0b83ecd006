/**
 * The benchmark of the training step: `npm run bench`. Times the generated step of ViT-Ti/16 and ViT-S/16 at 224 beside
 * the same step in plain PyTorch (bench/peers/pytorch_step.py), in turn, each in a process of its own, on the same cores
 * with the same shapes.
 *
 *   --rounds N     processes of each side (default 3)
 *   --steps N      timed steps in each of them (default 5)
 *   --threads N    default: all cores
 *   --only NAME    tiny16 or small16
 */
import { spawnSync } from "node:child_process";
import { availableParallelism, cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildDriver } from "./build";

const root = fileURLToPath(new URL("..", import.meta.url));

interface Subject {
  readonly experiment: string;
  readonly title: string;
  readonly batch: number;
  /** The same network, for the peer. */
  readonly peer: readonly string[];
}

const CONTEXT = "76";
const TARGET = "36";

const subjects: readonly Subject[] = [
  {
    experiment: "tiny16",
    title: "ViT-Ti/16, batch 16, predictor 96×6",
    batch: 16,
    peer: ["--dim", "192", "--depth", "12", "--heads", "3", "--pdim", "96", "--pdepth", "6", "--batch", "16"],
  },
  {
    experiment: "small16",
    title: "ViT-S/16, batch 8, predictor 192×6",
    batch: 8,
    peer: ["--dim", "384", "--depth", "12", "--heads", "6", "--pdim", "192", "--pdepth", "6", "--batch", "8"],
  },
];

/** What a process reports of itself, both sides alike. */
interface Measured {
  readonly seconds_median: number;
  readonly seconds_min: number;
  readonly peak_mib: number;
}

interface Side {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly rounds: Measured[];
}

function runOnce([command, ...args]: Side["command"]): Measured {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${stderr}`);
  // Both scripts print one line of JSON with these fields.
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Measured;
}

/** The version of PyTorch, or undefined where there is none. */
function torchVersion(): string | undefined {
  const { status, stdout } = spawnSync("python3", ["-c", "import torch; print(torch.__version__)"], {
    encoding: "utf8",
  });
  return status === 0 ? stdout.trim() : undefined;
}

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function line({ name, rounds }: Side, batch: number): string {
  const medians = rounds.map(({ seconds_median }) => seconds_median);
  const milliseconds = (seconds: number): string => (seconds * 1000).toFixed(0).padStart(6);
  return [
    `  ${name.padEnd(16)}`,
    `${(batch / middle(medians)).toFixed(2).padStart(7)} images/s`,
    `${milliseconds(middle(medians))} ms (${milliseconds(Math.min(...medians)).trim()}–${milliseconds(Math.max(...medians)).trim()}`,
    `best ${milliseconds(Math.min(...rounds.map(({ seconds_min }) => seconds_min))).trim()})`,
    `peak ${Math.max(...rounds.map(({ peak_mib }) => peak_mib)).toFixed(0)} MiB`,
  ].join("  ");
}

async function main(): Promise<void> {
  const { values: flags } = parseArgs({
    options: {
      rounds: { type: "string", default: "3" },
      steps: { type: "string", default: "5" },
      threads: { type: "string", default: String(availableParallelism()) },
      only: { type: "string" },
    },
  });
  const torch = torchVersion();
  console.log(
    `${cpus()[0]?.model.trim() ?? "unknown processor"}, ${flags.threads} threads, Node ${process.versions.node}`,
  );
  console.log(
    `Medians of ${flags.steps} steps, in ${flags.rounds} rounds of one process each: middle (range, best step).`,
  );
  if (torch === undefined) console.log("PyTorch is not installed for python3, so there is nothing to compare with.");
  for (const { experiment, title, batch, peer } of subjects) {
    if (flags.only !== undefined && flags.only !== experiment) continue;
    const shared = ["--context", CONTEXT, "--target", TARGET, "--threads", flags.threads, "--steps", flags.steps];
    const sides: Side[] = [
      { name: "ijepa", command: [process.execPath, await buildDriver(experiment), ...shared], rounds: [] },
    ];
    if (torch !== undefined) {
      const script = fileURLToPath(new URL("peers/pytorch_step.py", import.meta.url));
      sides.push({
        name: `torch ${torch}`,
        command: ["python3", script, ...peer, ...shared, "--json"],
        rounds: [],
      });
    }
    for (let round = 0; round < Number(flags.rounds); round++) {
      for (const side of sides) side.rounds.push(runOnce(side.command));
    }
    console.log(`\n${title}, ${CONTEXT} context and 4 × ${TARGET} target tokens`);
    for (const side of sides) console.log(line(side, batch));
    const [ours, theirs] = sides.map(({ rounds }) => middle(rounds.map(({ seconds_median }) => seconds_median)));
    if (ours !== undefined && theirs !== undefined)
      console.log(`  ${(theirs / ours).toFixed(2)} × the speed of PyTorch`);
  }
}

await main();
