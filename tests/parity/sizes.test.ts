/** The six official sizes: parameter counts and how every weight begins (reference.md §3 and §4). */
import { describe, expect, it } from "vitest";
import { compile } from "../../compiler/compile";
import { specFromText } from "../../compiler/spec/load";
import { factsOf } from "../../compiler/step/facts";
import type { Parameter } from "../../runtime/experiment";
import { initialValues } from "../../runtime/model/initialize";
import { evaluateTrainer } from "../support/generated";

const sizes = [
  { size: "tiny", patch16: 5_486_400, patch14: 5_451_840 },
  { size: "small", patch16: 21_589_632, patch14: 21_520_512 },
  { size: "base", patch16: 85_646_592, patch14: 85_508_352 },
  { size: "large", patch16: 303_098_880, patch14: 302_914_560 },
  { size: "huge", patch16: 630_664_960, patch14: 630_434_560 },
  { size: "giant", patch16: 1_011_092_608, patch14: 1_010_839_168 },
] as const;

function compiledOf(encoder: object, predictor: object = {}) {
  const spec = {
    encoder,
    predictor,
    data: { source: "folder", train: "images", images: 4096 },
    optimization: { epochs: 50, globalBatch: 8 },
  };
  const loaded = specFromText({ text: JSON.stringify(spec), file: "spec.json" });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  return compile(loaded);
}

function countsOf(encoder: object, predictor: object = {}) {
  const { step, plan } = compiledOf(encoder, predictor);
  return factsOf(step, plan).parameters;
}

const elements = ({ shape }: Parameter): number => shape.reduce((product, size) => product * size, 1);

describe.each(sizes)("ViT $size", ({ size, patch16, patch14 }) => {
  it("has the official number of weights", () => {
    expect(countsOf({ size, patch: 16 }).encoder).toBe(patch16);
    expect(countsOf({ size, patch: 14 }).encoder).toBe(patch14);
  });

  it("begins with normal draws of .02, gains of 1 and biases of 0, also for the last matrices of deep blocks", async () => {
    const { parameters } = await evaluateTrainer(compiledOf({ size, patch: 16 }).files);
    const encoder = parameters.filter(({ path }) => path.startsWith("encoder."));
    expect(encoder.reduce((sum, parameter) => sum + elements(parameter), 0)).toBe(patch16);
    for (const parameter of parameters) {
      const name = parameter.officialName;
      const want = name.endsWith("bias") ? "zeros" : /norm\d?\.weight$/.test(name) ? "ones" : "normal";
      expect(parameter.init.kind, name).toBe(want);
      if (parameter.init.kind === "normal") expect(parameter.init.std, name).toBe(0.02);
    }
    // one matrix drawn: within five standard errors of the mean 0 and of the deviation .02
    const last = encoder.find(({ officialName }) => officialName === "blocks.11.attn.proj.weight");
    if (last === undefined) throw new Error("no twelfth block");
    const values = initialValues(last, 0);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    expect(Math.abs(mean)).toBeLessThan((5 * 0.02) / Math.sqrt(values.length));
    expect(Math.abs(std - 0.02)).toBeLessThan((5 * 0.02) / Math.sqrt(2 * values.length));
  });
});

describe("predictor", () => {
  it.each([
    ["huge", 12, 22_279_424],
    ["giant", 16, 29_475_712],
  ])("of ViT %s, %i blocks of 384", (size, depth, want) => {
    expect(countsOf({ size, patch: 16 }, { dim: 384, depth }).predictor).toBe(want);
  });
});
