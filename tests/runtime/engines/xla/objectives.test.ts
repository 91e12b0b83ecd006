/** Objectives beside I-JEPA on XLA: recorded runs, operands in bfloat16, and several devices against one. */
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { castsOfStep } from "../../../../compiler/step/casts";
import { createReferenceEngine } from "../../../../runtime/engines/reference/engine";
import { createEngine } from "../../../../runtime/engines/xla/engine";
import { toleranceOfCasts } from "../../../../runtime/replay/bfloat16";
import { follow } from "../../../../runtime/replay/follow";
import { relativeError } from "../../../support/bfloat16";
import { evaluateReplay } from "../../../support/generated";
import { expectClose, type MakeEngine, manyDevicesProgram, threeSteps } from "../../../support/many-devices";
import { hasPlugin, plugin, useOwnCache } from "../../../support/pjrt";
import { onRanks } from "../../../support/ranks";
import { compiledTraceAt } from "../../../support/replay";
import { testSeed } from "../../../support/seed";
import { type Trained, train } from "../../../support/train";
import { base, compiledWith, inBfloat16 } from "../../../support/variations";

const cache = useOwnCache();
afterAll(cache.remove);

const cpu = { threads: 1, device: "cpu" } as const;
const moments = (of: Trained): readonly (readonly [path: string, values: Float32Array])[] =>
  [...of.state].filter(([path]) => path.startsWith("m."));

describe.skipIf(!hasPlugin)(`objectives (seed ${testSeed})`, { timeout: 300_000 }, () => {
  test.each([
    ["mae_normalized", 197],
    ["mae_pixels", 121],
    ["simmim_two_blocks", 107],
    ["simmim_one_block", 69],
    ["data2vec_blocks", 301],
    ["data2vec_last", 173],
  ] as const)("%s holds", async (name, tensors) => {
    const path = fileURLToPath(new URL(`../../../golden/transformers/${name}.safetensors`, import.meta.url));
    const { trace, files } = await compiledTraceAt(path);
    const engine = await createEngine({ ...cpu, pjrtPlugin: plugin.path });
    try {
      const { comparisons } = await follow(await evaluateReplay(files), trace, engine);
      expect(comparisons).toHaveLength(tensors);
      expect(comparisons.filter(({ holds }) => !holds)).toEqual([]);
    } finally {
      await engine.release();
      await trace.close();
    }
  });

  test("mae in bfloat16 is the reference with the same casts, and float64 within what rounding explains", async () => {
    const { predictor: decoder, masking: _, ...common } = base;
    const spec = {
      ...common,
      objective: "mae",
      encoder: { ...base.encoder, depth: 1 },
      decoder: { ...decoder, depth: 1 },
    };
    const only = { predictor: undefined, masking: undefined };
    const compiled = compiledWith({ ...only, ...spec, ...inBfloat16 });
    expect(compiled.files.find((file) => file.name === "step.ts")?.text).toContain("o.toBf16(");
    const found = await train(compiled, await createEngine({ ...cpu, precision: "bf16", pjrtPlugin: plugin.path }), 1);
    const errorTo = (of: Trained): number =>
      Math.max(...moments(of).map(([at, values]) => relativeError([[found.state.get(at) ?? [], values]])));
    expect(errorTo(await train(compiled, await createReferenceEngine(), 1))).toBeLessThan(2 ** -10);
    const exact = await train(compiledWith({ ...only, ...spec }), await createReferenceEngine(), 1);
    expect(errorTo(exact)).toBeLessThan(toleranceOfCasts(castsOfStep(compiled.model)));
    expect(errorTo(exact)).toBeGreaterThan(2 ** -11);
  });

  test.each(["mae", "simmim", "data2vec"] as const)(
    "two processes of two devices are one device: %s",
    async (objective) => {
      const hardware = { engine: "xla", device: "cpu", objective } as const;
      const holding =
        (devices: number): MakeEngine =>
        (reducer) =>
          createEngine({ ...cpu, pjrtPlugin: plugin.path, devices, reducer });
      const one = await manyDevicesProgram({ ...hardware, gpus: 1, accumulation: 4 });
      const wanted = await threeSteps(one, holding(1));
      const many = await manyDevicesProgram({ ...hardware, gpus: 4, accumulation: 1 });
      const found = await onRanks(2, (communicator) => threeSteps(many, holding(2), communicator));
      for (const rank of found) expectClose(rank, wanted);
    },
  );
});
