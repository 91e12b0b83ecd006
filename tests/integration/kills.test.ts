/**
 * Trainings whose ranks are killed at random moments, under the real mpirun of Open MPI and of MPICH: `npm run test:kills`
 * kills 30 of each; IJEPA_KILLS says another number, IJEPA_TEST_SEED other moments. Needs Debian's openmpi-bin and mpich.
 */
import { existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { readCheckpointMetadata } from "../../runtime/checkpoint/checkpoint";
import { readSafetensors } from "../../runtime/checkpoint/safetensors";
import { installedMpis, type RunningRanks } from "../support/mpi/mpi";
import {
  compiled,
  endOf,
  latest,
  losses,
  newFolder,
  processOf,
  rowsOf,
  STEPS,
  shaOf,
  start,
} from "../support/mpi/trainings";
import { randomOf } from "../support/op-calls";
import { testSeed } from "../support/seed";

const mpis = installedMpis();
const kills = Number(process.env.IJEPA_KILLS ?? "3");

let trainer = "";
beforeAll(() => {
  trainer = compiled({ gpus: 2 });
}, 300_000);

/** Kills a rank `afterMs` after it has said that it lives; null where the run ended before. */
async function kill(run: RunningRanks, victim: number, afterMs: number): Promise<number | null> {
  let isOver = false;
  void run.exitCode.then(() => {
    isOver = true;
  });
  let pid = processOf(run.folder, victim);
  for (; pid === null && !isOver; pid = processOf(run.folder, victim)) await wait(10);
  await wait(afterMs);
  if (pid === null || isOver) return null;
  try {
    process.kill(pid, "SIGKILL");
    return pid;
  } catch {
    return null;
  }
}

describe.skipIf(mpis.length === 0).each(mpis)("a training of two ranks on $kind", { timeout: 300_000 }, (mpi) => {
  let whole = "";
  /** From the first sign of life to the end of an undisturbed run. */
  let wholeMs = 0;
  beforeAll(async () => {
    whole = newFolder();
    const run = start(mpi, trainer, whole);
    while (processOf(whole, 1) === null) await wait(10);
    const begunMs = performance.now();
    expect(await run.exitCode, run.output()).toBe(0);
    wholeMs = performance.now() - begunMs;
    expect(rowsOf(whole)).toHaveLength(STEPS);
  }, 300_000);

  const next = randomOf(testSeed);
  const plans = Array.from({ length: kills }, (_, i) => ({
    number: i + 1,
    victim: Math.floor(next() * 2),
    // Of the whole run, its start and its evaluation included.
    percent: Math.floor(next() * 100),
  }));
  it.each(plans)(
    `goes on to the same bits where rank $victim was killed at $percent % (kill $number, seed ${testSeed})`,
    async ({ victim, percent }) => {
      // One that is faster than the undisturbed run was over before: then earlier.
      for (let afterMs = (wholeMs * percent) / 100; ; afterMs /= 2) {
        const folder = newFolder();
        const run = start(mpi, trainer, folder);
        const pid = await kill(run, victim, afterMs);
        if (pid === null) {
          expect(await run.exitCode, run.output()).toBe(0);
          continue;
        }
        const code = await endOf(run);
        // The last thing that a rank does is to end; then nothing is left that could be lost.
        if (code === 0) {
          expect(shaOf(latest(folder))).toBe(shaOf(latest(whole)));
          continue;
        }
        expect(run.output()).toMatch(
          new RegExp(`R20[01]: The run ends because rank ${victim} on \\S+ \\(process ${pid}\\) is gone`),
        );
        if (existsSync(latest(folder))) {
          const { progress } = await readCheckpointMetadata(latest(folder));
          expect(progress.step % 8).toBe(0);
          await readSafetensors(latest(folder));
        }
        const resumed = start(mpi, trainer, folder);
        expect(await resumed.exitCode, resumed.output()).toBe(0);
        expect(shaOf(latest(folder))).toBe(shaOf(latest(whole)));
        expect(losses(folder)).toEqual(losses(whole));
        return;
      }
    },
  );
});
