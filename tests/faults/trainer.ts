/** A real trainer of seconds that faults are injected into: 48 steps of a small network on rendered scenes. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { modulePath } from "../../compiler/bundle/module-path";
import type { FaultId } from "./table";

/** How much more `npm run test:faults` does than `npm test`. */
export const isFull = process.env.IJEPA_FAULTS === "full";

/** A test that cannot fail for the speed of the machine still has to end. */
export const timeout = isFull ? 7_200_000 : 900_000;

const usual = {
  image: { size: 32 },
  encoder: { dim: 24, depth: 2, heads: 3, patch: 8 },
  predictor: { dim: 12, depth: 1 },
  masking: { sampler: "unbiased", minKeep: 1, targets: { count: 2, scale: [0.2, 0.3] }, context: { tokens: 6 } },
  data: { source: "shapes", trainImages: 64, sceneSize: 32 },
  optimization: { epochs: 6, globalBatch: 8, learningRate: { peak: 0.002, warmupEpochs: 1 } },
  evaluation: { trainImages: 32, testImages: 32 },
  hardware: { threads: 1, workers: 1 },
};

/**
 * For many kills: pictures that are rendered and judged in no time, and more than three times the steps and checkpoints, for half
 * of the work.
 */
export const quick: typeof usual = {
  ...usual,
  image: { size: 8 },
  encoder: { ...usual.encoder, patch: 2 },
  data: { ...usual.data, sceneSize: 8 },
  optimization: { ...usual.optimization, epochs: 20 },
};

export interface FaultyTrainer {
  readonly script: string;
  /** sha256 of the checkpoint of a run that nothing happened to. */
  readonly whole: string;
}

/** Compiled, and run once without a fault. */
export async function faultyTrainer(spec: typeof usual = usual): Promise<FaultyTrainer> {
  const folder = mkdtempSync(join(tmpdir(), "ijepa-faults-"));
  writeFileSync(join(folder, "faulty.json"), JSON.stringify(spec));
  execFileSync(process.execPath, [resolve("bin/ijepa.js"), "compile", "faulty.json"], { cwd: folder });
  const script = join(folder, "generated/faulty/train.js");
  const run = newFolder();
  const ended = await endOf(start({ script, folder: run }));
  if (ended.code !== 0) throw new Error(`the run without a fault ended with ${ended.code}:\n${ended.text}`);
  return { script, whole: hashOf(run) };
}

export const newFolder = (): string => join(mkdtempSync(join(tmpdir(), "ijepa-faulty-")), "run");
export const checkpointOf = (folder: string): string => join(folder, "faulty-latest.safetensors");
export const hashOf = (folder: string): string =>
  createHash("sha256")
    .update(readFileSync(checkpointOf(folder)))
    .digest("hex");

export interface Started {
  readonly process: ChildProcess;
  readonly folder: string;
  text(): string;
}

export function start(what: {
  readonly script: string;
  readonly folder: string;
  readonly flags?: readonly string[];
  /** What comes before node: a program that sets a limit, a mount. */
  readonly under?: readonly string[];
  /** Of node itself. */
  readonly nodeFlags?: readonly string[];
}): Started {
  const { script, folder, flags = [], under = [], nodeFlags = [] } = what;
  const [program = "", ...args] = [
    ...[...under, process.execPath, ...nodeFlags, script, "--run-dir", folder],
    ...["--resume=auto", "--no-progress", "--log-every", "1", ...flags],
  ];
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NODE_PATH: modulePath() },
  });
  let text = "";
  const take = (chunk: Buffer): void => {
    text += chunk.toString();
  };
  child.stdout?.on("data", take);
  child.stderr?.on("data", take);
  return { process: child, folder, text: () => text };
}

export interface Ended {
  /** As a shell reports it. */
  readonly code: number;
  readonly text: string;
}

export function endOf({ process: child, text }: Started): Promise<Ended> {
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (code, signal) =>
      done({ code: code ?? 128 + (signal === null ? 0 : constants.signals[signal]), text: text() }),
    );
  });
}

/** Resolves when the log has this step, or the trainer is gone. */
export async function untilStep({ process: child, folder }: Started, step: number): Promise<void> {
  const log = join(folder, "log.jsonl");
  while (child.exitCode === null && child.signalCode === null) {
    if (existsSync(log) && readFileSync(log, "utf8").includes(`"event":"step","step":${step},`)) return;
    await wait(10);
  }
}

const record = new URL("../../docs/faults.json", import.meta.url);

/** Keeps in docs/faults.json how often a fault was injected, where IJEPA_RECORD=1 asks for it. */
export function countFault(id: FaultId, times: number, came: Readonly<Record<string, number>> = {}): void {
  if (process.env.IJEPA_RECORD !== "1") return;
  const known: Record<string, unknown> = existsSync(record) ? JSON.parse(readFileSync(record, "utf8")) : {};
  const date = new Date().toISOString().slice(0, 10);
  const sorted = Object.entries({ ...known, [id]: { date, times, came } }).sort(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(record, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`);
}

/** Whether a private mount can be made here: by root, or in a name space of one's own. */
export const mounts = ((): readonly string[] | null => {
  for (const flags of [["--mount"], ["--user", "--map-root-user", "--mount"]]) {
    try {
      execFileSync("unshare", [...flags, "mount", "-t", "tmpfs", "none", tmpdir()], { stdio: "ignore" });
      return ["unshare", ...flags];
    } catch {
      // The next way.
    }
  }
  return null;
})();
