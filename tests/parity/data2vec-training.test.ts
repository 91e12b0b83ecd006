/** experiments/methods/data2vec.json compiles and learns: the smallest sign that its spec, step, masks and engine fit together. */
import { expect, test } from "vitest";
import { compile } from "../../compiler/compile";
import { loadSpec } from "../../compiler/spec/load";
import { createEngine } from "../../runtime/engines/onnx/engine";
import { train } from "../support/train";

test("a few steps of data2vec beside the quickstart", async () => {
  const loaded = loadSpec(new URL("../../experiments/methods/data2vec.json", import.meta.url).pathname);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  const compiled = compile(loaded);
  const { losses, state } = await train(compiled, await createEngine({ threads: 1 }), 8);
  expect(losses.every(Number.isFinite)).toBe(true);
  expect(losses.at(-1)).toBeLessThan(losses[0] ?? 0);
  const ofTarget = [...state.keys()].filter((path) => path.startsWith("target."));
  expect(ofTarget).toContain("target.classToken");
  // The head is thrown away, and averaged by nobody.
  expect(ofTarget.filter((path) => path.includes("proj.weight") && !path.includes("attn"))).toEqual([]);
});
