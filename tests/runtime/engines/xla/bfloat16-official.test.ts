/**
 * The recorded steps of the official code with operands in bfloat16: the tolerances of docs/parity.md#in-bfloat16 hold. `npm test` takes the
 * first step of one recording, since every length is a program to compile; `npm run test:bf16` all steps of all.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEngine, type XlaEngine } from "../../../../runtime/engines/xla/engine";
import { follow } from "../../../../runtime/replay/follow";
import { evaluateReplay } from "../../../support/generated";
import { hasPlugin, plugin, useOwnCache } from "../../../support/pjrt";
import { compiledTrace, inBfloat16, mutatedStep, officialTraces } from "../../../support/replay";

const isWhole = process.env.IJEPA_INTEGRATION !== undefined;
const cache = useOwnCache();
afterAll(cache.remove);

describe.skipIf(!hasPlugin)("recorded steps in bfloat16", () => {
  let engine: XlaEngine;
  beforeAll(async () => {
    engine = await createEngine({ threads: 1, device: "cpu", precision: "bf16", pjrtPlugin: plugin.path });
  });
  // What is being compiled is waited for.
  afterAll(() => engine.release(), 600_000);

  test.each(isWhole ? officialTraces : ["step_tiny_official_init"])("%s holds", { timeout: 600_000 }, async (name) => {
    const { trace, files } = await compiledTrace(name, inBfloat16);
    try {
      const { comparisons } = await follow(await evaluateReplay(files), trace, engine, {
        mse: false,
        ...(isWhole ? {} : { steps: 1 }),
      });
      expect(comparisons.length).toBeGreaterThan(90);
      expect(comparisons.filter(({ holds }) => !holds)).toEqual([]);
    } finally {
      await trace.close();
    }
  });

  test.runIf(isWhole)("one with a mistake in its step does not", { timeout: 600_000 }, async () => {
    const { trace, files } = await compiledTrace("step_tiny_official_init", inBfloat16);
    try {
      const noGradient = { from: /o\.softmaxGrad\((\w+), (\w+)\)/, to: "$1", inside: "contextBlockBackward" };
      const program = await evaluateReplay(mutatedStep(files, noGradient));
      const { comparisons } = await follow(program, trace, engine, { mse: false, steps: 1 });
      const wrong = comparisons.filter(({ holds }) => !holds).map(({ group }) => group);
      expect(wrong).toContain("gradients");
    } finally {
      await trace.close();
    }
  });
});
