import { afterAll, describe, test } from "vitest";
import { createReferenceEngine } from "../../../../runtime/engines/reference/engine";
import { createEngine } from "../../../../runtime/engines/tfjs/engine";
import { opNames } from "../../../support/op-samples";
import { checkOp } from "./support";

const reference = await createReferenceEngine();
const engines = {
  wasm: await createEngine({ threads: 1, device: "wasm" }),
  js: await createEngine({ threads: 1, device: "js" }),
};

afterAll(async () => {
  for (const engine of Object.values(engines)) await engine.release();
});

describe.each([
  ["wasm", "symbolic"],
  ["wasm", "fixed"],
  ["js", "symbolic"],
] as const)("the op on %s with %s lengths gives the numbers of the reference", (device, how) => {
  test.each(opNames)("%s", async (op) => {
    await checkOp(engines[device], { op, how, reference });
  });
});
