/** Every variation of a spec, trained for two steps: the engines agree with the float64 reference. */
import { describe, expect, it } from "vitest";
import type { Engine } from "../../runtime/engines/engine";
import { createEngine } from "../../runtime/engines/onnx/engine";
import { createReferenceEngine } from "../../runtime/engines/reference/engine";
import { createEngine as createTfjs } from "../../runtime/engines/tfjs/engine";
import { type Trained, train } from "../support/train";
import { base, compiledWith, variations } from "../support/variations";

const onnx = (): Promise<Engine> => createEngine({ threads: 1 });
const wasm = (): Promise<Engine> => createTfjs({ threads: 1, device: "wasm" });

/** The largest difference of weights and targets, as a share of what two steps changed them by at most. */
function worstDifference(a: Trained, b: Trained): { readonly path: string; readonly difference: number } {
  let worst = { path: "", difference: 0 };
  for (const [path, values] of a.state) {
    if (!path.startsWith("weights.") && !path.startsWith("target.")) continue;
    const others = b.state.get(path);
    const third = values.length / 3;
    for (const [i, value] of values.entries()) {
      // the key's bias has no true gradient: AdamW makes noise of rounding (reference.md §12)
      if (path.endsWith("attn.qkv.bias") && i >= third && i < 2 * third) continue;
      const difference = Math.abs(value - (others?.[i] ?? Number.NaN));
      if (!(difference <= worst.difference)) worst = { path, difference };
    }
  }
  return worst;
}

describe("variations", () => {
  it.each(variations)("%s: as in float64", async (_name, change) => {
    const compiled = compiledWith(change);
    const exact = await train(compiled, await createReferenceEngine());
    for (const engine of [await onnx(), await wasm()]) {
      const fast = await train(compiled, engine);
      for (const [step, loss] of fast.losses.entries()) expect(loss).toBeCloseTo(exact.losses[step] ?? Number.NaN, 5);
      // AdamW's first steps move every weight by about the learning rate (≤ 1e-3), whatever the size of its gradient
      expect(worstDifference(fast, exact)).toMatchObject({ difference: expect.closeTo(0, 4) });
    }
  });

  it("a batch in parts gives the weights of the whole", async () => {
    const masking = { ...base.masking, context: { tokens: 2 } };
    const whole = await train(compiledWith({ masking }), await onnx());
    const optimization = { ...base.optimization, accumulation: 4 };
    const parts = await train(compiledWith({ masking, optimization }), await onnx());
    expect(parts.losses[0]).toBeCloseTo(whole.losses[0] ?? Number.NaN, 5);
    expect(worstDifference(whole, parts)).toMatchObject({ difference: expect.closeTo(0, 4) });
  });
});
