/**
 * The native backend of tfjs, where it is installed (scripts/build-tfjs-node.mjs builds it): every op and the recorded
 * steps of the official code, as the other engines have to pass them.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { resolveExternal } from "../../../../runtime/engines/external";
import { createReferenceEngine } from "../../../../runtime/engines/reference/engine";
import { createEngine, type TfjsEngine } from "../../../../runtime/engines/tfjs/engine";
import { follow } from "../../../../runtime/replay/follow";
import { evaluateReplay } from "../../../support/generated";
import { opNames } from "../../../support/op-samples";
import { compiledTrace, officialTraces } from "../../../support/replay";
import { checkOp } from "./support";

const isInstalled = resolveExternal("@tensorflow/tfjs-node/package.json") !== undefined;
if (!isInstalled) console.warn("@tensorflow/tfjs-node is not installed: its tests are left out.");

describe.skipIf(!isInstalled)("tfjs-node", () => {
  let engine: TfjsEngine;
  let reference: Awaited<ReturnType<typeof createReferenceEngine>>;
  beforeAll(async () => {
    reference = await createReferenceEngine();
    engine = await createEngine({ threads: 1, device: "cpu" });
  });
  afterAll(() => engine.release());

  test("it is TensorFlow that runs", () => {
    expect(engine.description).toMatch(/TensorFlow \d+\.\d+/);
  });

  test.each(opNames)("%s gives the numbers of the reference", async (op) => {
    await checkOp(engine, { op, how: "symbolic", reference });
  });

  test.each(officialTraces)("%s holds", async (name) => {
    const { trace, files } = await compiledTrace(name);
    try {
      const { comparisons } = await follow(await evaluateReplay(files), trace, engine);
      expect(comparisons.length).toBeGreaterThan(10);
      expect(comparisons.filter(({ holds }) => !holds)).toEqual([]);
    } finally {
      await trace.close();
    }
  });
});
