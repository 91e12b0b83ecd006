/** experiments/methods/simmim.json compiles and learns: the smallest sign that its spec, step, masks and engine fit together. */
import { expect, test } from "vitest";
import { compile } from "../../compiler/compile";
import { loadSpec } from "../../compiler/spec/load";
import { createEngine } from "../../runtime/engines/onnx/engine";
import { train } from "../support/train";

test("a few steps of SimMIM beside the quickstart", async () => {
  const loaded = loadSpec(new URL("../../experiments/methods/simmim.json", import.meta.url).pathname);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  const compiled = compile(loaded);
  const { losses, state } = await train(compiled, await createEngine({ threads: 1 }), 8);
  expect(losses.every(Number.isFinite)).toBe(true);
  expect(losses.at(-1)).toBeLessThan(losses[0] ?? 0);
  expect([...state.keys()].filter((path) => path.startsWith("target."))).toEqual([]);
});
