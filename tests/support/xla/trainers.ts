/** Small trainers as a user has them: compiled, bundled, and run in processes of their own. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle } from "../../../compiler/bundle/bundle";
import { packageRoot } from "../../../compiler/emit/package-root";
import { plugin } from "../pjrt";
import { base, compiledWith } from "../variations";

const hardware = {
  onnx: { engine: "onnx" },
  xla: { engine: "xla" },
  /** Two devices in one process. */
  xla2: { engine: "xla", gpus: 2 },
} as const;

export type TrainerName = keyof typeof hardware;

/** Two epochs of ten steps; probes and a checkpoint after each. */
const spec = (name: TrainerName) => ({
  encoder: { dim: 16, depth: 1, heads: 2, patch: 8 },
  predictor: { dim: 8, depth: 1, heads: 2 },
  masking: { minKeep: 1, targets: { scale: [0.2, 0.3] }, context: { tokens: 3 } },
  optimization: { ...base.optimization, globalBatch: 2 },
  data: { source: "shapes", trainImages: 20, validationImages: 16, testImages: 16 },
  evaluation: { everyEpochs: 1, trainImages: 16, testImages: 16, knn: { neighbours: 3 } },
  log: { everySteps: 1 },
  hardware: { ...hardware[name], device: "cpu", threads: 1, workers: 1 },
});

export const STEPS = 20;

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Of the log, by step. */
  readonly losses: ReadonlyMap<number, number>;
  /** Of the newest checkpoint. */
  readonly hash: string | null;
}

export interface RunOptions {
  readonly flags?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

export interface Trainers {
  readonly folder: string;
  /** In a folder of that name for runs. */
  run(name: TrainerName, runFolder: string, options?: RunOptions): Promise<Ran>;
  /** Where the checkpoint of a run lies, now or later. */
  checkpointOf(runFolder: string): string;
  remove(): void;
}

/** `change`: groups of the spec that are replaced. */
export async function makeTrainers(names: readonly TrainerName[], change: object = {}): Promise<Trainers> {
  const folder = mkdtempSync(join(tmpdir(), "ijepa-xla-"));
  let checkpoint = "";
  for (const name of names) {
    const { files, plan } = compiledWith({ ...spec(name), ...change });
    checkpoint = `${plan.experiment.name}-latest.safetensors`;
    mkdirSync(join(folder, name));
    const text = await bundle({ files, banner: "" });
    writeFileSync(join(folder, name, "train.js"), text);
  }
  return {
    folder,
    run: (name, runFolder, options = {}) => run(folder, name, runFolder, options),
    checkpointOf: (runFolder) => join(folder, runFolder, checkpoint),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function run(
  folder: string,
  name: TrainerName,
  runFolder: string,
  { flags = [], env = {} }: RunOptions,
): Promise<Ran> {
  const directory = join(folder, runFolder);
  const args = [join(folder, name, "train.js"), "--run-dir", directory, "--no-progress", ...flags];
  const child = spawn(process.execPath, args, {
    cwd: packageRoot(),
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, IJEPA_XLA_CACHE: join(folder, "cache"), IJEPA_PJRT_PLUGIN: plugin.path, ...env },
  });
  const text = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].on("data", (chunk: Buffer) => {
      text[stream] += chunk.toString();
    });
  }
  const code = await new Promise<number | null>((done) => child.on("close", done));
  if (code !== 0) return { code, ...text, losses: new Map(), hash: null };
  const losses = readFileSync(join(directory, "log.jsonl"), "utf8")
    .trim()
    .split("\n")
    .flatMap((line): [number, number][] => {
      const { event, step, loss }: { event?: string; step?: number; loss?: number } = JSON.parse(line);
      return event === "step" && step !== undefined && loss !== undefined ? [[step, loss]] : [];
    });
  const checkpoint = readFileSync(
    join(directory, readdirSync(directory).find((file) => file.endsWith("-latest.safetensors")) ?? "none"),
  );
  return { code, ...text, losses: new Map(losses), hash: createHash("sha256").update(checkpoint).digest("hex") };
}
