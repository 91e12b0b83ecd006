/** Every variation of a spec gives a trainer that type-checks, and the same bytes each time. */
import { describe, expect, it } from "vitest";
import type { Compiled } from "../../compiler/compile";
import { typeErrors } from "../../compiler/emit/check";
import { standingForItself } from "../../compiler/emit/code";
import { base, compiledWith as compiled, onManyDevices, variations } from "../support/variations";

const stepOf = ({ files }: Compiled): string => files.find(({ name }) => name === "step.ts")?.text ?? "";

describe("compile", () => {
  it.each([...variations, ...onManyDevices])("%s: type-checks, and is the same twice", (_name, change, inStep) => {
    const once = compiled(change);
    // The files themselves, not what stands for them in the check of a compilation.
    expect(typeErrors("/nowhere/spec", once.typescript.map(standingForItself))).toEqual([]);
    expect(stepOf(once)).toMatch(inStep);
    expect(compiled(change).files).toEqual(once.files);
  });

  const mistakes: readonly (readonly [name: string, from: string, to: string])[] = [
    ["two weights swapped", "block.mlp.fc1.weight, block.mlp.fc1.bias", "block.mlp.fc2.weight, block.mlp.fc2.bias"],
    ["key and value's shapes", "o.matmul(attention, v)", "o.matmul(attention, k)"],
    ["context for target", "targetTokens(o", "contextNorm(o"],
    ["gradients of the wrong layer", "dBlock: {", "dBlock: { extra: 1,"],
    ["the width of the MLP for that of a token", "{ width: D }", "{ width: F }"],
  ];
  it.each(mistakes)("%s in generated code is a type error", (_name, from, to) => {
    const broken = compiled({}).typescript.map((file) =>
      file.name === "step.ts" ? standingForItself({ ...file, text: file.text.replace(from, to) }) : file,
    );
    expect(broken.find(({ name }) => name === "step.ts")?.text).not.toBe(stepOf(compiled({})));
    expect(typeErrors("/nowhere/spec", broken)).not.toEqual([]);
  });

  it("a deep network is not longer than a shallow one", () => {
    const lines = (change: object) => stepOf(compiled(change)).split("\n").length;
    const deep = { encoder: { ...base.encoder, depth: 32 }, predictor: { dim: 8, depth: 12, heads: 2 } };
    expect(lines(deep)).toBe(lines({}));
  });
});
