/** Short trainings on ranks, as a person starts them, under a real mpirun. */
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { modulePath } from "../../../compiler/bundle/module-path";
import type { SpecInput } from "../../../compiler/spec/input";
import { openBeatReader } from "../../../runtime/ranks/watch/beat";
import { follow, type InstalledMpi, type RunningRanks } from "./mpi";

const experiment = (hardware: SpecInput["hardware"], more: Partial<SpecInput>) => ({
  image: { size: 32 },
  encoder: { dim: 48, depth: 2, heads: 3, patch: 4, dropPath: 0.1 },
  predictor: { dim: 24, depth: 1 },
  masking: {
    sampler: "unbiased",
    minKeep: 4,
    targets: { count: 2, scale: [0.2, 0.3], aspect: [0.75, 1.5] },
    context: { scale: [0.85, 1], tokens: 20 },
  },
  data: { source: "shapes", trainImages: 64, sceneSize: 32 },
  optimization: { epochs: 8, globalBatch: 8, learningRate: { peak: 0.002, warmupEpochs: 1 } },
  evaluation: { trainImages: 64, testImages: 64 },
  // So small that there are several buckets.
  hardware: { threads: 1, workers: 1, reduceBucketMiB: 0.05, ...hardware },
  checkpoint: { keepEveryEpochs: 0 },
  ...more,
});
export const STEPS = 64;

/** Where its trainer lies; all of them are of an experiment of one name, so that one goes on with another's run. */
export function compiled(hardware: SpecInput["hardware"], more: Partial<SpecInput> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), `ijepa-ranks${hardware?.gpus ?? 1}-`));
  writeFileSync(join(folder, "shared.json"), JSON.stringify(experiment(hardware, more)));
  execFileSync(process.execPath, [resolve("bin/ijepa.js"), "compile", "shared.json"], { cwd: folder });
  return join(folder, "generated/shared/train.js");
}

export const newFolder = (): string => join(mkdtempSync(join(tmpdir(), "ijepa-run-")), "run");

export const environment = (mpi: InstalledMpi | null) => ({
  ...process.env,
  NODE_PATH: modulePath(),
  ...(mpi === null ? {} : { IJEPA_MPIRUN: mpi.path }),
});

const flagsOf = (folder: string): readonly string[] => ["--run-dir", folder, "--resume", "auto", "--no-progress"];

/** `node train.js` as a person starts it. */
export function start(
  mpi: InstalledMpi | null,
  trainer: string,
  folder: string,
  ...flags: readonly string[]
): RunningRanks {
  return follow(spawn(process.execPath, [trainer, ...flagsOf(folder), ...flags], { env: environment(mpi) }), folder);
}

/** mpirun as a person starts it, with one program for each rank. */
export function startByHand(mpi: InstalledMpi, programs: readonly string[], folder: string): RunningRanks {
  const own = mpi.kind === "Open MPI" ? ["--oversubscribe", "--allow-run-as-root", "--bind-to", "none"] : [];
  const parts = programs.flatMap((program, i) => [
    ...(i === 0 ? [] : [":"]),
    ...["-n", "1", process.execPath, program, ...flagsOf(folder)],
  ]);
  return follow(spawn(mpi.path, [...own, ...parts], { env: environment(mpi) }), folder);
}

/** The exit code; fails where the run does not end within a minute. */
export async function endOf(run: RunningRanks): Promise<number | null> {
  const code = await Promise.race([run.exitCode, wait(60_000, "late" as const, { ref: false })]);
  if (code !== "late") return code;
  run.process.kill("SIGKILL");
  throw new Error(`the run has not ended after a minute:\n${run.output()}`);
}

export const latest = (folder: string): string => join(folder, "shared-latest.safetensors");
export const shaOf = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

export const rowsOf = (folder: string): readonly string[] =>
  existsSync(join(folder, "log.csv"))
    ? readFileSync(join(folder, "log.csv"), "utf8").trimEnd().split("\n").slice(1)
    : [];

/** Without their times. */
export const losses = (folder: string): readonly string[] =>
  rowsOf(folder).map((row) => row.split(",").slice(0, 5).join());

export async function untilSteps(run: RunningRanks, steps: number): Promise<void> {
  const end = Date.now() + 60_000;
  while (rowsOf(run.folder).length < steps) {
    if (Date.now() > end) throw new Error(`there is no step ${steps}:\n${run.output()}`);
    await wait(20);
  }
}

/** Null where the rank has not begun. */
export function processOf(folder: string, rank: number): number | null {
  return openBeatReader(join(folder, "ranks"))(rank)?.pid ?? null;
}
