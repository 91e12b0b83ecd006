import { expect } from "vitest";
import type { Engine } from "../../../../runtime/engines/engine";
import type { TfjsEngine } from "../../../../runtime/engines/tfjs/engine";
import type { OpName } from "../../../../runtime/ops/ops";
import { expectOp } from "../../../support/op-check";

/** Runs the sample of an op twice: the numbers of the reference, and no tensor left behind. */
export async function checkOp(
  engine: TfjsEngine,
  what: { readonly op: OpName; readonly how: "fixed" | "symbolic"; readonly reference: Engine },
): Promise<void> {
  await expectOp(engine, {
    ...what,
    between: async (runAgain) => {
      const { tensors } = engine.memory();
      await runAgain();
      expect(engine.memory().tensors, "tensors left behind").toBe(tensors);
    },
  });
}
