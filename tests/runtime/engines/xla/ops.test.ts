import { afterAll, beforeAll, describe, test } from "vitest";
import { createReferenceEngine } from "../../../../runtime/engines/reference/engine";
import { createEngine, type XlaEngine } from "../../../../runtime/engines/xla/engine";
import { expectOp } from "../../../support/op-check";
import { opNames } from "../../../support/op-samples";
import { hasPlugin, plugins, useOwnCache } from "../../../support/pjrt";

const reference = await createReferenceEngine();
const cache = useOwnCache();
afterAll(cache.remove);

describe.skipIf(!hasPlugin).each(plugins)("the op on $name gives the numbers of the reference", ({ path }) => {
  let engine: XlaEngine;
  beforeAll(async () => {
    engine = await createEngine({ threads: 1, device: "cpu", pjrtPlugin: path });
  });
  afterAll(() => engine.release());

  test.each(opNames)("%s", async (op) => {
    await expectOp(engine, { op, how: "symbolic", reference });
  });
});
