/** data2vec on XLA: recorded runs, and several devices against one. */
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { createEngine } from "../../../../runtime/engines/xla/engine";
import { follow } from "../../../../runtime/replay/follow";
import { evaluateReplay } from "../../../support/generated";
import { expectClose, type MakeEngine, manyDevicesProgram, threeSteps } from "../../../support/many-devices";
import { hasPlugin, plugin, useOwnCache } from "../../../support/pjrt";
import { onRanks } from "../../../support/ranks";
import { compiledTraceAt } from "../../../support/replay";

const cache = useOwnCache();
afterAll(cache.remove);

const cpu = { threads: 1, device: "cpu" } as const;

describe.skipIf(!hasPlugin)("data2vec", { timeout: 300_000 }, () => {
  test.each(["data2vec_blocks", "data2vec_last"])("%s holds", async (name) => {
    const path = fileURLToPath(new URL(`../../../golden/transformers/${name}.safetensors`, import.meta.url));
    const { trace, files } = await compiledTraceAt(path);
    const engine = await createEngine({ ...cpu, pjrtPlugin: plugin.path });
    try {
      const { comparisons } = await follow(await evaluateReplay(files), trace, engine);
      expect(comparisons.length).toBeGreaterThan(170);
      expect(comparisons.filter(({ holds }) => !holds)).toEqual([]);
    } finally {
      await engine.release();
      await trace.close();
    }
  });

  test("two processes of two devices are one device", async () => {
    const hardware = { engine: "xla", device: "cpu", objective: "data2vec" } as const;
    const holding =
      (devices: number): MakeEngine =>
      (reducer) =>
        createEngine({ ...cpu, pjrtPlugin: plugin.path, devices, reducer });
    const one = await manyDevicesProgram({ ...hardware, gpus: 1, accumulation: 4 });
    const wanted = await threeSteps(one, holding(1));
    const many = await manyDevicesProgram({ ...hardware, gpus: 4, accumulation: 1 });
    const found = await onRanks(2, (communicator) => threeSteps(many, holding(2), communicator));
    for (const rank of found) expectClose(rank, wanted);
  });
});
