/**
 * A training on several ranks under the real mpirun of Open MPI and of MPICH: `npm run test:mpi`. Needs Debian's openmpi-bin
 * and mpich; where one is missing it says so and leaves it out. IJEPA_KILLS says how many random kills each MPI gets.
 */
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { modulePath } from "../../compiler/bundle/module-path";
import { readCheckpointMetadata } from "../../runtime/checkpoint/checkpoint";
import { readSafetensors } from "../../runtime/checkpoint/safetensors";
import { openBeatReader } from "../../runtime/ranks/watch/beat";
import { follow, type InstalledMpi, installedMpis, type RunningRanks } from "../support/mpi/mpi";
import { randomOf } from "../support/op-calls";
import { testSeed } from "../support/seed";

const mpis = installedMpis();
const kills = Number(process.env.IJEPA_KILLS ?? "3");

const experiment = ({ gpus, shardOptimizer = false }: Ranks) => ({
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
  hardware: { threads: 1, workers: 1, gpus, shardOptimizer, reduceBucketMiB: 0.05 },
  checkpoint: { keepEveryEpochs: 0 },
});
const STEPS = 64;

interface Ranks {
  readonly gpus: number;
  readonly shardOptimizer?: boolean;
}

const shardedOverTwo = { gpus: 2, shardOptimizer: true } as const;
const keyOf = (ranks: Ranks): string => JSON.stringify(ranks);

/** Bundles by what they run on, all of an experiment of one name. */
const trainers = new Map<string, string>();
beforeAll(() => {
  for (const ranks of [{ gpus: 1 }, { gpus: 2 }, { gpus: 4 }, shardedOverTwo]) {
    const folder = mkdtempSync(join(tmpdir(), `ijepa-ranks${ranks.gpus}-`));
    writeFileSync(join(folder, "shared.json"), JSON.stringify(experiment(ranks)));
    execFileSync(process.execPath, [resolve("bin/ijepa.js"), "compile", "shared.json"], { cwd: folder });
    trainers.set(keyOf(ranks), join(folder, "generated/shared/train.js"));
  }
}, 180_000);

const newFolder = (): string => join(mkdtempSync(join(tmpdir(), "ijepa-run-")), "run");
const trainerOn = (ranks: Ranks): string => trainers.get(keyOf(ranks)) ?? "";
const trainerOf = (gpus: number): string => trainerOn({ gpus });
const environment = (mpi: InstalledMpi | null) => ({
  ...process.env,
  NODE_PATH: modulePath(),
  ...(mpi === null ? {} : { IJEPA_MPIRUN: mpi.path }),
});

/** `node train.js` as a person starts it. */
function start(mpi: InstalledMpi | null, ranks: Ranks, folder: string, ...flags: readonly string[]): RunningRanks {
  const args = [trainerOn(ranks), "--run-dir", folder, "--resume", "auto", "--no-progress", ...flags];
  return follow(spawn(process.execPath, args, { env: environment(mpi) }), folder);
}

/** mpirun as a person starts it, with one program for each group of ranks. */
function startByHand(mpi: InstalledMpi, programs: readonly string[], folder: string): RunningRanks {
  const own = mpi.kind === "Open MPI" ? ["--oversubscribe", "--allow-run-as-root", "--bind-to", "none"] : [];
  const parts = programs.flatMap((program, i) => [
    ...(i === 0 ? [] : [":"]),
    ...["-n", "1", process.execPath, program, "--run-dir", folder, "--resume", "auto", "--no-progress"],
  ]);
  return follow(spawn(mpi.path, [...own, ...parts], { env: environment(mpi) }), folder);
}

async function endOf(run: RunningRanks): Promise<number | null> {
  const code = await Promise.race([run.exitCode, wait(60_000, "late" as const, { ref: false })]);
  if (code !== "late") return code;
  run.process.kill("SIGKILL");
  throw new Error(`the run has not ended after a minute:\n${run.output()}`);
}

const latest = (folder: string): string => join(folder, "shared-latest.safetensors");
const shaOf = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");
const rowsOf = (folder: string): readonly string[] =>
  existsSync(join(folder, "log.csv"))
    ? readFileSync(join(folder, "log.csv"), "utf8").trimEnd().split("\n").slice(1)
    : [];
/** Without their times. */
const losses = (folder: string): readonly string[] => rowsOf(folder).map((row) => row.split(",").slice(0, 5).join());

async function untilSteps(run: RunningRanks, steps: number): Promise<void> {
  const end = Date.now() + 60_000;
  while (rowsOf(run.folder).length < steps) {
    if (Date.now() > end) throw new Error(`there is no step ${steps}:\n${run.output()}`);
    await wait(20);
  }
}

function processOf(folder: string, rank: number): number {
  const beat = openBeatReader(join(folder, "ranks"))(rank);
  if (beat === null) throw new Error(`rank ${rank} gives no sign of life`);
  return beat.pid;
}

describe.skipIf(mpis.length === 0).each(mpis)("a training on $kind", { timeout: 300_000 }, (mpi) => {
  let whole = "";
  beforeAll(async () => {
    whole = newFolder();
    const run = start(mpi, { gpus: 2 }, whole);
    expect(await run.exitCode, run.output()).toBe(0);
    expect(run.output()).toContain(`Done: ${STEPS} steps in`);
  }, 300_000);

  it("of two ranks ends in the same bits each time", async () => {
    const again = newFolder();
    const run = start(mpi, { gpus: 2 }, again);
    expect(await run.exitCode, run.output()).toBe(0);
    expect(shaOf(latest(again))).toBe(shaOf(latest(whole)));
    expect(losses(again)).toEqual(losses(whole));
  });

  it("of two ranks is that of one device, but for rounding", async () => {
    const alone = newFolder();
    const run = start(null, { gpus: 1 }, alone);
    expect(await run.exitCode, run.output()).toBe(0);
    const [one, two] = [losses(alone), losses(whole)].map((rows) => rows.map((row) => Number(row.split(",")[2])));
    expect(two).toHaveLength(STEPS);
    two?.forEach((loss, i) => {
      expect(Math.abs(loss - (one?.[i] ?? Number.NaN))).toBeLessThan(i < 8 ? 2e-5 : 5e-3);
    });
  });

  it("of two ranks is the same where torchrun starts it on one host", async () => {
    const folder = newFolder();
    const codes = [0, 1].map((rank) => {
      const place = { RANK: String(rank), LOCAL_RANK: String(rank), GROUP_RANK: "0", TORCHELASTIC_RUN_ID: "none" };
      const env = { ...environment(mpi), ...place, WORLD_SIZE: "2", LOCAL_WORLD_SIZE: "2", OMP_NUM_THREADS: "1" };
      const args = [trainerOf(2), "--run-dir", folder, "--resume", "auto", "--no-progress"];
      return follow(spawn(process.execPath, args, { env }), folder);
    });
    for (const run of codes) expect(await run.exitCode, run.output()).toBe(0);
    expect(shaOf(latest(folder))).toBe(shaOf(latest(whole)));
  });

  const next = randomOf(testSeed);
  const plans = Array.from({ length: kills }, () => ({
    victim: Math.floor(next() * 2),
    steps: 1 + Math.floor(next() * (STEPS - 4)),
    afterMs: Math.floor(next() * 100),
  }));
  it.each(plans)(
    `goes on to the same bits where rank $victim was killed $afterMs ms after step $steps (seed ${testSeed})`,
    async ({ victim, steps, afterMs }) => {
      const folder = newFolder();
      const run = start(mpi, { gpus: 2 }, folder);
      await untilSteps(run, steps);
      await wait(afterMs);
      const pid = processOf(folder, victim);
      process.kill(pid, "SIGKILL");
      expect(await endOf(run), run.output()).not.toBe(0);
      expect(run.output()).toMatch(
        new RegExp(`R20[01]: The run ends because rank ${victim} on \\S+ \\(process ${pid}\\)`),
      );
      if (existsSync(latest(folder))) {
        const { progress } = await readCheckpointMetadata(latest(folder));
        expect(progress.step % 8).toBe(0);
        await readSafetensors(latest(folder));
      }
      const resumed = start(mpi, { gpus: 2 }, folder);
      expect(await resumed.exitCode, resumed.output()).toBe(0);
      expect(shaOf(latest(folder))).toBe(shaOf(latest(whole)));
      expect(losses(folder)).toEqual(losses(whole));
    },
  );

  it("that stands still ends within a minute", async () => {
    const folder = newFolder();
    const run = start(mpi, { gpus: 2 }, folder);
    await untilSteps(run, 10);
    const pid = processOf(folder, 1);
    process.kill(pid, "SIGSTOP");
    const code = await endOf(run);
    expect(code, run.output()).not.toBe(0);
    expect(run.output()).toMatch(
      /R20[23]: The run ends because rank 1 on \S+ \(process \d+\) (hangs|has given no sign)/,
    );
  });

  it("of two ranks goes on with one and with four", async () => {
    for (const gpus of [1, 4]) {
      const folder = newFolder();
      const two = start(mpi, { gpus: 2 }, folder, "--steps", "20");
      expect(await two.exitCode, two.output()).toBe(0);
      const other = start(mpi, { gpus }, folder);
      expect(await other.exitCode, other.output()).toBe(0);
      expect(other.output()).toContain("after step 20");
      expect(other.output()).toContain(`hardware.gpus: 2 in the checkpoint, ${gpus} here`);
      expect(losses(folder).slice(0, 20)).toEqual(losses(whole).slice(0, 20));
      losses(folder).forEach((row, i) => {
        const [a, b] = [row, losses(whole)[i] ?? ""].map((each) => Number(each.split(",")[2]));
        expect(Math.abs((a ?? Number.NaN) - (b ?? Number.NaN)), `step ${i + 1} on ${gpus}`).toBeLessThan(5e-3);
      });
    }
  });

  it("with a sharded optimizer has the same numbers, and goes on with a whole one and with other ranks", async () => {
    const tensorsOf = async (folder: string) => (await readSafetensors(latest(folder))).tensors;
    const sharded = newFolder();
    const run = start(mpi, shardedOverTwo, sharded);
    expect(await run.exitCode, run.output()).toBe(0);
    expect(losses(sharded)).toEqual(losses(whole));
    expect(await tensorsOf(sharded)).toEqual(await tensorsOf(whole));

    // Begun sharded and gone on with whole, and the other way round.
    for (const [first, second] of [
      [shardedOverTwo, { gpus: 2 }],
      [{ gpus: 2 }, shardedOverTwo],
    ] as const) {
      const folder = newFolder();
      const begun = start(mpi, first, folder, "--steps", "20");
      expect(await begun.exitCode, begun.output()).toBe(0);
      const other = start(mpi, second, folder);
      expect(await other.exitCode, other.output()).toBe(0);
      expect(other.output()).toMatch(/hardware.shardOptimizer: (true|false) in the checkpoint, (true|false) here/);
      expect(losses(folder)).toEqual(losses(whole));
      expect(await tensorsOf(folder)).toEqual(await tensorsOf(whole));
    }

    const alone = newFolder();
    const begun = start(mpi, shardedOverTwo, alone, "--steps", "20");
    expect(await begun.exitCode, begun.output()).toBe(0);
    const one = start(null, { gpus: 1 }, alone);
    expect(await one.exitCode, one.output()).toBe(0);
    expect(losses(alone).slice(0, 20)).toEqual(losses(whole).slice(0, 20));
    expect(losses(alone)).toHaveLength(STEPS);
  });

  it("stops on a signal with a checkpoint of the same step on all ranks, and goes on to the same bits", async () => {
    const folder = newFolder();
    const run = start(mpi, { gpus: 2 }, folder);
    await untilSteps(run, 10);
    run.process.kill("SIGTERM");
    expect(await endOf(run), run.output()).toBe(143);
    const { progress } = await readCheckpointMetadata(latest(folder));
    expect(progress.step).toBe(rowsOf(folder).length);
    const resumed = start(mpi, { gpus: 2 }, folder);
    expect(await resumed.exitCode, resumed.output()).toBe(0);
    expect(shaOf(latest(folder))).toBe(shaOf(latest(whole)));
  });

  it.each([
    ["more ranks than devices", [2, 2, 2], /R209: This trainer was compiled for 2 devices .* started 3 ranks/],
    ["ranks of other experiments", [2, 4], /R209: |R199: /],
  ])("with %s does not begin", async (_, gpus, says) => {
    const folder = newFolder();
    const run = startByHand(mpi, gpus.map(trainerOf), folder);
    expect(await endOf(run), run.output()).not.toBe(0);
    expect(run.output()).toMatch(says);
    expect(existsSync(latest(folder))).toBe(false);
  });

  it("started by mpirun itself knows its ranks, and a second one in its folder is refused", async () => {
    const folder = newFolder();
    const run = startByHand(mpi, [2, 2].map(trainerOf), folder);
    await untilSteps(run, 3);
    const second = start(mpi, { gpus: 2 }, folder);
    expect(await endOf(second), second.output()).toBe(1);
    expect(second.output()).toMatch(/R110: /);
    expect(await run.exitCode, run.output()).toBe(0);
    expect(shaOf(latest(folder))).toBe(shaOf(latest(whole)));
  });
});
