/** Nothing is left behind by a step, and the most that lives during one is what the compiler said. */
import { afterAll, describe, expect, test } from "vitest";
import { memoryEstimate } from "../../../../compiler/step/memory";
import { createEngine } from "../../../../runtime/engines/tfjs/engine";
import { base, compiledWith } from "../../../support/variations";
import { openRun } from "./train";

const engines = {
  wasm: await createEngine({ threads: 1, device: "wasm" }),
  js: await createEngine({ threads: 1, device: "js" }),
};
afterAll(async () => {
  for (const engine of Object.values(engines)) await engine.release();
});

/** As few numbers as there can be: the time goes into calls. */
const least = {
  encoder: { dim: 8, depth: 1, heads: 1, patch: 8 },
  predictor: { dim: 8, depth: 1, heads: 1 },
  masking: { minKeep: 1, targets: { count: 1, scale: [0.2, 0.3] } },
  optimization: { ...base.optimization, globalBatch: 1 },
};

describe("a run of steps", () => {
  test.each([
    ["wasm", 1000],
    ["js", 30],
  ] as const)("on %s holds the same tensors before and after %i steps", async (device, steps) => {
    const engine = engines[device];
    const { step } = await openRun(compiledWith(least), engine);
    // Every program once: constants are made when they are needed first.
    for (let i = 0; i < 12; i++) await step();
    const { tensors, buffers, bytes } = engine.memory();
    for (let i = 0; i < steps; i++) {
      await step();
      if (i % 20 === 0) expect(engine.memory()).toMatchObject({ tensors, buffers, bytes });
    }
    expect(engine.memory()).toMatchObject({ tensors, buffers, bytes });
  });
});

describe("the most that a step holds, as a share of what the compiler says", () => {
  // Within an op there is more: most where images are larger than everything that the network makes of them.
  test.each([
    ["a step", 1.03, {}],
    ["clipping", 1.03, { optimization: { ...base.optimization, clipNorm: 1.5 } }],
    ["accumulation", 1.01, { optimization: { ...base.optimization, accumulation: 2 } }],
    ["two contexts", 1.04, { masking: { ...base.masking, context: { count: 2 } } }],
    ["larger images", 1.03, { image: { size: 64 } }],
    ["pixels as targets", 1.25, { targets: { space: "pixels" } }],
  ] as const)("%s: %d", async (_, wanted, change) => {
    const compiled = compiledWith(change);
    const { plan, step: whole } = compiled;
    const { totalBytes } = memoryEstimate(whole, plan);
    const engine = engines.wasm;
    const before = engine.memory().bytes;
    const { step } = await openRun(compiled, engine);
    engine.resetPeak();
    // The largest program decides, and comes sooner or later.
    for (let i = 0; i < 6 * plan.experiment.masks.programs.length; i++) await step();
    const share = (engine.memory().peakBytes - before) / totalBytes;
    expect(share).toBeGreaterThan(1);
    expect(Math.abs(share - wanted)).toBeLessThan(0.02);
  });
});
