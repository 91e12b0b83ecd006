/**
 * A training on engine xla whose processes meet through the real mpirun of Open MPI and of MPICH: `npm run test:mpi`. Needs a
 * PJRT plugin for processors (`node scripts/pjrt-cpu.mjs`), and Debian's openmpi-bin and mpich.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { readSafetensors } from "../../runtime/checkpoint/safetensors";
import { installedMpis } from "../support/mpi/mpi";
import { compiled, latest, losses, newFolder, start, startByHand } from "../support/mpi/trainings";
import { hasPlugin } from "../support/pjrt";

const mpis = installedMpis();

const xla = { engine: "xla", device: "cpu" } as const;
/** One size of target, so that XLA compiles one program. */
const short = {
  masking: {
    sampler: "unbiased",
    minKeep: 4,
    targets: { count: 2, scale: [0.25, 0.25], aspect: [1, 1] },
    context: { scale: [0.85, 1], tokens: 20 },
  },
  data: { source: "shapes", trainImages: 32, sceneSize: 32 },
  optimization: { epochs: 2, globalBatch: 8, learningRate: { peak: 0.002, warmupEpochs: 1 } },
} as const;
const STEPS = 8;

const lossesOf = (folder: string): readonly number[] => losses(folder).map((row) => Number(row.split(",")[2]));

describe.skipIf(mpis.length === 0 || !hasPlugin)("a training on engine xla", () => {
  const alone = newFolder();
  beforeAll(async () => {
    const accumulated = { ...short, optimization: { ...short.optimization, accumulation: 2 } };
    const run = start(null, compiled({ ...xla, gpus: 1 }, accumulated), alone);
    expect(await run.exitCode, run.output()).toBe(0);
    expect(lossesOf(alone)).toHaveLength(STEPS);
  }, 600_000);

  it.each(mpis.flatMap((mpi) => [2, 4].map((gpus) => ({ ...mpi, mpi, gpus }))))(
    "of two processes under $kind, on $gpus devices in all, is that of one device that accumulates",
    { timeout: 600_000 },
    async ({ mpi, gpus }) => {
      const trainer = compiled({ ...xla, gpus }, short);
      const folder = newFolder();
      // By itself the trainer would hold all devices in one process.
      const run = startByHand(mpi, [trainer, trainer], folder);
      expect(await run.exitCode, run.output()).toBe(0);
      const want = lossesOf(alone);
      expect(lossesOf(folder)).toHaveLength(STEPS);
      lossesOf(folder).forEach((loss, i) => {
        expect(Math.abs(loss - (want[i] ?? Number.NaN)), `step ${i + 1}`).toBeLessThan(2e-5);
      });
      const [{ tensors }, { tensors: wanted }] = [
        await readSafetensors(latest(folder)),
        await readSafetensors(latest(alone)),
      ];
      expect([...tensors.keys()]).toEqual([...wanted.keys()]);
    },
  );
});
