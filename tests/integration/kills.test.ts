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

interface Moment {
  /** It has said that it lives, and so many steps are logged. */
  readonly steps: number;
  readonly afterMs: number;
}

/** Kills a rank at a moment of its run; null where the run ended before. */
async function kill(run: RunningRanks, victim: number, { steps, afterMs }: Moment): Promise<number | null> {
  let isOver = false;
  void run.exitCode.then(() => {
    isOver = true;
  });
  let pid = processOf(run.folder, victim);
  const isThere = (): boolean => pid !== null && rowsOf(run.folder).length >= steps;
  for (; !isThere() && !isOver; pid = processOf(run.folder, victim)) await wait(10);
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
  beforeAll(async () => {
    whole = newFolder();
    const run = start(mpi, trainer, whole);
    expect(await run.exitCode, run.output()).toBe(0);
    expect(rowsOf(whole)).toHaveLength(STEPS);
  }, 300_000);

  const next = randomOf(testSeed);
  const plans = Array.from({ length: kills }, (_, i) => ({
    number: i + 1,
    victim: Math.floor(next() * 2),
    // From its start to its evaluation, which comes after the last step.
    steps: Math.floor(next() * (STEPS + 1)),
    afterMs: Math.floor(next() * 200),
  }));
  it.each(plans)(
    `goes on to the same bits where rank $victim was killed $afterMs ms after step $steps (kill $number, seed ${testSeed})`,
    async ({ victim, steps, afterMs }) => {
      // One that was over before is killed earlier.
      for (let moment = { steps, afterMs }; ; moment = { steps: Math.max(0, moment.steps - 1), afterMs: 0 }) {
        const folder = newFolder();
        const run = start(mpi, trainer, folder);
        const pid = await kill(run, victim, moment);
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
