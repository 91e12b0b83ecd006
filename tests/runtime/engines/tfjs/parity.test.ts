/** The recorded steps of the official code: the tolerances of the default engine hold on wasm and in plain JavaScript. */
import { afterAll, describe, expect, test } from "vitest";
import { createEngine } from "../../../../runtime/engines/tfjs/engine";
import { follow } from "../../../../runtime/replay/follow";
import { evaluateReplay } from "../../../support/generated";
import { compiledTrace, officialTraces } from "../../../support/replay";

const engines = {
  wasm: await createEngine({ threads: 1, device: "wasm" }),
  js: await createEngine({ threads: 1, device: "js" }),
};
afterAll(async () => {
  for (const engine of Object.values(engines)) await engine.release();
});

// JavaScript is slow: the gradients of the first step, and the weights and moving averages that follow from them.
const firstStep = { steps: 1, mse: false };

describe.each([
  ["wasm", officialTraces, {}],
  ["js", officialTraces.filter((name) => !name.startsWith("ddp2")), firstStep],
] as const)("recorded steps on %s", (device, traces, options) => {
  test.each(traces)("%s holds", async (name) => {
    const { trace, files } = await compiledTrace(name);
    try {
      const { comparisons } = await follow(await evaluateReplay(files), trace, engines[device], options);
      expect(comparisons.length).toBeGreaterThan(90);
      expect(comparisons.filter(({ holds }) => !holds)).toEqual([]);
    } finally {
      await trace.close();
    }
  });
});
