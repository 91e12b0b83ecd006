/** experiments/methods/mae.json compiles and learns: the smallest sign that its spec, step, masks and engine fit together. */
import { expect, test } from "vitest";
import { compile } from "../../compiler/compile";
import { loadSpec } from "../../compiler/spec/load";
import { createEngine } from "../../runtime/engines/onnx/engine";
import { train } from "../support/train";

test("a few steps of the masked autoencoder beside the quickstart", async () => {
  const loaded = loadSpec(new URL("../../experiments/methods/mae.json", import.meta.url).pathname);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  const compiled = compile(loaded);
  const { losses, state } = await train(compiled, await createEngine({ threads: 1 }), 8);
  // Pixels that are normalized have a variance of 1, which is what a prediction of their mean is off by.
  expect(losses[0]).toBeGreaterThan(0.9);
  expect(losses.every(Number.isFinite)).toBe(true);
  expect(losses.at(-1)).toBeLessThan(losses[0] ?? 0);
  expect([...state.keys()].filter((path) => path.startsWith("target."))).toEqual([]);
});
