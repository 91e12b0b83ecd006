import { afterAll, describe, test } from "vitest";
import { createReferenceEngine } from "../../../../runtime/engines/reference/engine";
import { createEngine } from "../../../../runtime/engines/xla/engine";
import { expectOp } from "../../../support/op-check";
import { opNames } from "../../../support/op-samples";

const reference = await createReferenceEngine();
const engine = await createEngine({ threads: 1, device: "cpu" });
afterAll(() => engine.release());
test.each(opNames)("%s", async (op) => {
  await expectOp(engine, { op, how: "symbolic", reference });
});
