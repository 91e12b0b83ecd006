/** Recorded steps of the official code on WebGPU, with the tolerances of every engine. */
import { afterAll, expect, test } from "vitest";
import { follow } from "../../../../runtime/replay/follow";
import { evaluateReplay } from "../../../support/generated";
import { compiledTrace } from "../../../support/replay";
import { webgpuForTests } from "../../../support/webgpu";

const engine = await webgpuForTests();
afterAll(() => engine?.release());

// The smallest of them: in software a trace takes minutes. `ijepa replay --device webgpu` takes them all.
test.skipIf(engine === null)("step_tiny_official_init holds", { timeout: 600_000 }, async () => {
  if (engine === null) return;
  const { trace, files } = await compiledTrace("step_tiny_official_init");
  try {
    const { comparisons } = await follow(await evaluateReplay(files), trace, engine);
    expect(comparisons.length).toBeGreaterThan(10);
    expect(comparisons.filter(({ holds }) => !holds)).toEqual([]);
  } finally {
    await trace.close();
  }
});
