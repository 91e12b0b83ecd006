/** The recorded steps of the official code: the tolerances of the default engine hold. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEngine, type XlaEngine } from "../../../../runtime/engines/xla/engine";
import { follow } from "../../../../runtime/replay/follow";
import { evaluateReplay } from "../../../support/generated";
import { hasPlugin, plugin, useOwnCache } from "../../../support/pjrt";
import { compiledTrace, officialTraces } from "../../../support/replay";

const cache = useOwnCache();
afterAll(cache.remove);

describe.skipIf(!hasPlugin)("recorded steps", () => {
  let engine: XlaEngine;
  beforeAll(async () => {
    engine = await createEngine({ threads: 1, device: "cpu", pjrtPlugin: plugin.path });
  });
  afterAll(() => engine.release());

  // Each length is a program of its own: compiling them is what takes the time.
  test.each(officialTraces)("%s holds", { timeout: 600_000 }, async (name) => {
    const { trace, files } = await compiledTrace(name);
    try {
      const { comparisons } = await follow(await evaluateReplay(files), trace, engine, { mse: false });
      expect(comparisons.length).toBeGreaterThan(90);
      expect(comparisons.filter(({ holds }) => !holds)).toEqual([]);
    } finally {
      await trace.close();
    }
  });
});
