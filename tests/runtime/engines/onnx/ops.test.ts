import { afterAll, describe, test } from "vitest";
import type { Engine } from "../../../../runtime/engines/engine";
import { createEngine } from "../../../../runtime/engines/onnx/engine";
import { createReferenceEngine } from "../../../../runtime/engines/reference/engine";
import { expectOp } from "../../../support/op-check";
import { opNames } from "../../../support/op-samples";

const reference = await createReferenceEngine();
const engines: Record<string, Engine> = {
  c: await createEngine({ threads: 1, runtime: "c" }),
  binding: await createEngine({ threads: 1, runtime: "binding" }),
};

afterAll(async () => {
  for (const engine of Object.values(engines)) await engine.release();
});

describe.each([
  ["c", "symbolic"],
  ["c", "fixed"],
  ["binding", "symbolic"],
] as const)("the op by %s with %s lengths gives the numbers of the reference", (runtime, how) => {
  test.each(opNames)("%s", async (op) => {
    const engine = engines[runtime];
    if (engine === undefined) throw new Error("no engine");
    await expectOp(engine, { op, how, reference });
  });
});
