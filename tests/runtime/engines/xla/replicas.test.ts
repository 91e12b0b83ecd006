/**
 * Many devices in one process, in several, and both, against accumulation on one: the processor as virtual devices, whose
 * gradients meet inside XLA, and ranks in memory, whose gradients leave it. XLA compiles for minutes here: all of it runs by
 * `npm run test:replicas`, the least that shows every path by `npm test`.
 */
import { afterAll, describe, expect, it } from "vitest";
import { createEngine } from "../../../../runtime/engines/xla/engine";
import { follow } from "../../../../runtime/replay/follow";
import { openTrace } from "../../../../runtime/replay/trace";
import { compileReplay } from "../../../../tools/replay/compile";
import { evaluateReplay } from "../../../support/generated";
import { expectClose, type MakeEngine, manyDevicesProgram, threeSteps } from "../../../support/many-devices";
import { officialPath } from "../../../support/official";
import { hasPlugin, plugin, useOwnCache } from "../../../support/pjrt";
import { onRanks } from "../../../support/ranks";
import { testSeed } from "../../../support/seed";

type Places = readonly [ranks: number, devices: number, accumulation: number];
const few: readonly Places[] = [
  [1, 4, 1],
  [2, 2, 1],
];
const more: readonly Places[] = [
  [1, 2, 1],
  [1, 8, 1],
  [2, 1, 2],
];
const isWhole = process.env.IJEPA_INTEGRATION !== undefined;
const cache = useOwnCache();
afterAll(cache.remove);

const xla = { engine: "xla", device: "cpu" } as const;
const holding =
  (devices: number): MakeEngine =>
  (reducer) =>
    createEngine({ threads: 1, device: "cpu", pjrtPlugin: plugin.path, devices, reducer });

describe.skipIf(!hasPlugin)(`many devices (seed ${testSeed})`, { timeout: 300_000 }, () => {
  it.each<Places>(isWhole ? [...few, ...more] : few)(
    "%d processes of %d devices with %d micro-batches each are one device",
    async (ranks, devices, accumulation) => {
      const gpus = ranks * devices;
      const one = await manyDevicesProgram({ ...xla, gpus: 1, accumulation: gpus * accumulation });
      const wanted = await threeSteps(one, holding(1));
      const many = await manyDevicesProgram({ ...xla, gpus, accumulation });
      const found = await onRanks(ranks, (communicator) => threeSteps(many, holding(devices), communicator));
      for (const rank of found) expectClose(rank, wanted);
      const [first, ...others] = found;
      for (const other of others) expect(other).toEqual(first);
    },
  );

  it.skipIf(!isWhole).each([
    [1, 4],
    [2, 2],
  ])("equal runs of %d processes of %d devices end in equal bits", async (ranks, devices) => {
    const program = await manyDevicesProgram({ ...xla, gpus: 4, accumulation: 1 });
    const run = () => onRanks(ranks, (communicator) => threeSteps(program, holding(devices), communicator));
    expect(await run()).toEqual(await run());
  });

  // In one process it cannot be: the recorded ranks cut their masks to lengths of their own, and a program has one. Each
  // length is a program of its own on each rank: compiling them is what takes the time.
  it.skipIf(!isWhole)("the recorded run of two ranks holds on two processes", { timeout: 900_000 }, async () => {
    const trace = await openTrace(officialPath("ddp2_tiny_official_init.safetensors"));
    try {
      const { experiment } = await manyDevicesProgram({ ...xla, gpus: trace.ranks, accumulation: 1 });
      const { hardware } = experiment;
      const program = await evaluateReplay(compileReplay(trace, { hardware }).files);
      const found = await onRanks(trace.ranks, async (communicator) => {
        const engine = await holding(1)(communicator, hardware.reduceBucketMiB * 2 ** 20);
        const followed = await follow(program, trace, engine, { devices: communicator, mse: false });
        await engine.release();
        return followed;
      });
      for (const { comparisons } of found) {
        expect(comparisons.length).toBeGreaterThan(60);
        expect(comparisons.filter(({ holds }) => !holds)).toEqual([]);
      }
    } finally {
      await trace.close();
    }
  });
});
