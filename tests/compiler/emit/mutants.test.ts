/** Wrong edits of step.ts: at least 97 of 100 of a sample are type errors. `npm run mutants` makes a larger one. */
import { describe, expect, it } from "vitest";
import { compile } from "../../../compiler/compile";
import { typeErrorsAsTheyAre } from "../../../compiler/emit/check";
import { standingForItself } from "../../../compiler/emit/code";
import { loadSpec } from "../../../compiler/spec/load";
import { kinds } from "../../support/mutants";
import { verdictsOf } from "../../support/refused";
import { testSeed } from "../../support/seed";

const LEAST = 0.97;

function compiled(path: string) {
  const loaded = loadSpec(path);
  if (!loaded.ok) throw new Error(`${path} is not valid`);
  return compile(loaded);
}

const quickstart = () => compiled("experiments/quickstart.json");

const edits: readonly (readonly [what: string, from: string, to: string])[] = [
  ["key and query", "o.matmulNT(q, k,", "o.matmulNT(k, q,"],
  ["gain and bias", "block.norm1.weight, block.norm1.bias", "block.norm1.bias, block.norm1.weight"],
  ["the other norm", "x, block.norm1.weight", "x, block.norm2.weight"],
  ["another bias", "block.mlp.fc2.bias)", "block.attn.proj.bias)"],
  ["gradient and value of GELU", "o.geluGrad(dActivated, hidden)", "o.geluGrad(hidden, dActivated)"],
  ["gradient and value of softmax", "o.softmaxGrad(dAttention, attention)", "o.softmaxGrad(attention, dAttention)"],
  ["the order of heads", "o.joinHeads(dQ, dK, dV", "o.joinHeads(dV, dK, dQ"],
  ["a value before its norm", "o.linear(norm1, block.attn", "o.linear(x, block.attn"],
  ["a hidden width that contradicts", "export const F = 384", "export const F = 400"],
  ["the trained blocks for targets", "of target.blocks", "of weights.encoder.blocks"],
  ["the average before the update", "followAll(target, next.weights.encoder", "followAll(target, weights.encoder"],
  ["two scalars of AdamW", "schedule.stepSize, schedule.secondMoment", "schedule.secondMoment, schedule.stepSize"],
];

describe("wrong edits of step.ts", () => {
  it.each([
    ["quickstart", 12],
    ["methods/mae", 6],
  ])(
    "of %s are refused by its types",
    (name, ofEachKind) => {
      const verdicts = verdictsOf(compiled(`experiments/${name}.json`), { seed: testSeed, ofEachKind });
      const accepted = verdicts.filter(({ refused }) => !refused).map(({ mutant }) => mutant);
      const share = 1 - accepted.length / verdicts.length;
      expect(new Set(verdicts.map(({ mutant }) => mutant.kind))).toEqual(new Set(kinds));
      expect(share, `seed ${testSeed}, accepted: ${JSON.stringify(accepted, null, 1)}`).toBeGreaterThanOrEqual(LEAST);
    },
    900_000,
  );

  it("are refused one by one", () => {
    const { typescript } = quickstart();
    const changed = edits.map(([what, from, to]) => {
      const files = typescript.map((file) =>
        standingForItself(file.name === "step.ts" ? { ...file, text: file.text.replace(from, to) } : file),
      );
      expect(
        files.some(({ text }, i) => text !== typescript[i]?.text),
        what,
      ).toBe(true);
      return { folder: `/nowhere/${what.replaceAll(" ", "-")}`, files };
    });
    const errors = typeErrorsAsTheyAre(changed);
    expect(edits.filter((_, i) => errors[i]?.length === 0).map(([what]) => what)).toEqual([]);
  }, 300_000);
});
