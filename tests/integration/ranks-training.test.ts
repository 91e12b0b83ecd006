/**
 * A training on several ranks under the real mpirun of Open MPI and of MPICH: `npm run test:mpi`. Needs Debian's openmpi-bin
 * and mpich; where one is missing it says so and leaves it out. Ranks that are killed: kills.test.ts.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { readCheckpointMetadata } from "../../runtime/checkpoint/checkpoint";
import { readSafetensors } from "../../runtime/checkpoint/safetensors";
import { follow, type InstalledMpi, installedMpis, type RunningRanks } from "../support/mpi/mpi";
import {
  compiled,
  endOf,
  environment,
  latest,
  losses,
  newFolder,
  processOf,
  rowsOf,
  STEPS,
  shaOf,
  startByHand,
  start as startTrainer,
  untilSteps,
} from "../support/mpi/trainings";

const mpis = installedMpis();

interface Ranks {
  readonly gpus: number;
  readonly shardOptimizer?: boolean;
}

const shardedOverTwo = { gpus: 2, shardOptimizer: true } as const;
const keyOf = (ranks: Ranks): string => JSON.stringify(ranks);

/** Bundles by what they run on, all of an experiment of one name. */
const trainers = new Map<string, string>();
beforeAll(() => {
  for (const ranks of [{ gpus: 1 }, { gpus: 2 }, { gpus: 4 }, shardedOverTwo])
    trainers.set(keyOf(ranks), compiled(ranks));
}, 180_000);

const trainerOn = (ranks: Ranks): string => trainers.get(keyOf(ranks)) ?? "";
const trainerOf = (gpus: number): string => trainerOn({ gpus });
const start = (mpi: InstalledMpi | null, ranks: Ranks, folder: string, ...flags: readonly string[]): RunningRanks =>
  startTrainer(mpi, trainerOn(ranks), folder, ...flags);

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

  it("that stands still ends within a minute", async () => {
    const folder = newFolder();
    const run = start(mpi, { gpus: 2 }, folder);
    await untilSteps(run, 10);
    process.kill(processOf(folder, 1) ?? Number.NaN, "SIGSTOP");
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
