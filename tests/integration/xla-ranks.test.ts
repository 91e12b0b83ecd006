/**
 * A training on engine xla whose processes meet through the real mpirun of Open MPI and of MPICH: `npm run test:mpi`. Needs a
 * PJRT plugin for processors (`node scripts/pjrt-cpu.mjs`), and Debian's openmpi-bin and mpich.
 */
import { describe, expect, it } from "vitest";
import { readSafetensors } from "../../runtime/checkpoint/safetensors";
import { installedMpis } from "../support/mpi/mpi";
import { compiled, latest, losses, newFolder, shaOf, start, startByHand } from "../support/mpi/trainings";
import { hasPlugin } from "../support/pjrt";

const mpis = installedMpis();

const xla = { engine: "xla", device: "cpu" } as const;
const short = { optimization: { epochs: 2, globalBatch: 8, learningRate: { peak: 0.002, warmupEpochs: 1 } } } as const;
const STEPS = 16;

describe.skipIf(mpis.length === 0 || !hasPlugin).each(mpis)(
  "a training on engine xla under $kind",
  { timeout: 600_000 },
  (mpi) => {
    it("of two processes, of one and of two devices each, is that of one device that accumulates", async () => {
      const lossesOf = (folder: string): readonly number[] => losses(folder).map((row) => Number(row.split(",")[2]));
      const alone = newFolder();
      const accumulated = { ...short, optimization: { ...short.optimization, accumulation: 2 } };
      const one = start(null, compiled({ ...xla, gpus: 1 }, accumulated), alone);
      expect(await one.exitCode, one.output()).toBe(0);
      const want = lossesOf(alone);
      expect(want).toHaveLength(STEPS);
      for (const gpus of [2, 4]) {
        const trainer = compiled({ ...xla, gpus }, short);
        const [first, again] = [newFolder(), newFolder()];
        for (const folder of [first, again]) {
          // By itself the trainer holds all devices in one process.
          const run = startByHand(mpi, [trainer, trainer], folder);
          expect(await run.exitCode, run.output()).toBe(0);
        }
        expect(shaOf(latest(again)), "equal runs end in equal bits").toBe(shaOf(latest(first)));
        lossesOf(first).forEach((loss, i) => {
          expect(Math.abs(loss - (want[i] ?? Number.NaN)), `step ${i + 1} on ${gpus}`).toBeLessThan(2e-5);
        });
        const [{ tensors }, { tensors: wanted }] = [
          await readSafetensors(latest(first)),
          await readSafetensors(latest(alone)),
        ];
        expect([...tensors.keys()]).toEqual([...wanted.keys()]);
      }
    });
  },
);
