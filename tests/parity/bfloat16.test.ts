/** Steps with `precision: "bf16"`: they type-check, a mixed-up number format does not, and they compute what rounding explains. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Compiled, check, compile } from "../../compiler/compile";
import { typeErrors } from "../../compiler/emit/check";
import { standingForItself } from "../../compiler/emit/code";
import { packageRoot } from "../../compiler/emit/package-root";
import { specFromText } from "../../compiler/spec/load";
import { castsOfStep } from "../../compiler/step/casts";
import { factsOf } from "../../compiler/step/facts";
import { createReferenceEngine } from "../../runtime/engines/reference/engine";
import { toleranceOfCasts } from "../../runtime/replay/bfloat16";
import { relativeError } from "../support/bfloat16";
import { type Trained, train } from "../support/train";
import { compiledWith, inBfloat16, objectiveVariations, variations } from "../support/variations";

const FOLDER = "/nowhere/spec";

it.each(variations)("%s in bfloat16 type-checks", (_, change) => {
  const compiled = compiledWith({ ...change, ...inBfloat16 });
  expect(compiled.files.find(({ name }) => name === "step.ts")?.text).toContain("Bf16: BF16<");
  check(FOLDER, compiled);
});

it.each(Object.entries(objectiveVariations))(
  "%s in bfloat16 type-checks, its statistics and losses in float32",
  (_, change) => {
    const compiled = compiledWith({ ...change, ...inBfloat16 });
    const step = compiled.files.find(({ name }) => name === "step.ts")?.text ?? "";
    expect(step).toContain("o.toBf16(");
    // Nothing that is cast goes into a mean over the batch.
    const ofWhat = [
      ...step.matchAll(/o\.(?:varianceTerm|covarianceTerm|smoothL1|mse|l1|normalize|layerNorm)(?:Grad)?\((\w+)/g),
    ];
    expect(ofWhat.length).toBeGreaterThan(0);
    expect(ofWhat.filter(([, name]) => name?.endsWith("Bf16"))).toEqual([]);
    check(FOLDER, compiled);
  },
);

it("the quickstart in bfloat16 type-checks", () => {
  const text = readFileSync(join(packageRoot(), "experiments", "quickstart.json"), "utf8");
  const loaded = specFromText({
    text: JSON.stringify({ ...JSON.parse(text), ...inBfloat16 }),
    file: "quickstart.json",
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  check(FOLDER, compile(loaded));
});

/** Errors of step.ts after one mistake; throws where the pattern is not there. */
function errorsAfter({ typescript }: Compiled, from: RegExp, to: string): readonly string[] {
  const changed = typescript.map((file) => {
    if (file.name !== "step.ts") return file;
    if (!from.test(file.text)) throw new Error(`step.ts has nothing like ${from}`);
    return standingForItself({ ...file, text: file.text.replace(from, to) });
  });
  return typeErrors(FOLDER, changed);
}

describe("a mixed-up number format does not type-check", () => {
  const compiled = compiledWith(inBfloat16);
  it.each([
    ["an operand that is not cast", /o\.linear\(norm1Bf16,/, "o.linear(norm1,"],
    ["a weight that is not cast", /o\.linear\(norm1Bf16, qkvWeightBf16,/, "o.linear(norm1Bf16, block.attn.qkv.weight,"],
    ["a bias that is cast", /o\.linear\((\w+), (\w+), ([\w.]+)\)/, "o.linear($1, $2, o.toBf16($3))"],
    ["a product's result as an operand", /o\.matmul\(attentionBf16, vBf16\)/, "o.matmul(scores, vBf16)"],
    ["softmax of what is cast", /o\.softmax\(scores\)/, "o.softmax(o.toBf16(scores))"],
    ["a norm of what is cast", /o\.layerNorm\(afterAttention,/, "o.layerNorm(o.toBf16(afterAttention),"],
    ["a residual in bfloat16", /o\.add\(x, projected\)/, "o.add(o.toBf16(x), o.toBf16(projected))"],
    ["a cast of what is cast", /o\.toBf16\(norm2\)/, "o.toBf16(o.toBf16(norm2))"],
    ["a value in float32 kept as bfloat16", /readonly hidden: F32</, "readonly hidden: BF16<"],
    [
      "a gradient that is not cast",
      /o\.linearGradWeight\(activatedBf16, dOutBf16\)/,
      "o.linearGradWeight(activatedBf16, dOut)",
    ],
    ["a gradient of a bias from what is cast", /o\.sumRows\(dOut\)/, "o.sumRows(dOutBf16)"],
  ])("%s", (_, from, to) => {
    expect(errorsAfter(compiled, from, to).join("\n")).toMatch(/^step\.ts:\d+: .*(BF16|bf16)/m);
  });
});

describe("statistics of what is cast do not type-check", () => {
  const compiled = compiledWith({ ...objectiveVariations.vicreg, ...inBfloat16 });
  it.each([
    ["variances", /o\.varianceTerm\(features,/, "o.varianceTerm(o.toBf16(features),"],
    ["covariances", /o\.covarianceTerm\(features,/, "o.covarianceTerm(o.toBf16(features),"],
    ["the gradient of deviations", /o\.varianceTermGrad\(features,/, "o.varianceTermGrad(o.toBf16(features),"],
    ["the gradient of covariances", /o\.covarianceTermGrad\(features,/, "o.covarianceTermGrad(o.toBf16(features),"],
  ])("%s", (_, from, to) => {
    expect(errorsAfter(compiled, from, to).join("\n")).toMatch(/^step\.ts:\d+: .*(BF16|bf16)/m);
  });
});

it("bytes that are not normalized do not type-check", () => {
  const errors = errorsAfter(compiledWith({}), /o\.patchify\(pixels,/, "o.patchify(images,");
  expect(errors.join("\n")).toMatch(/^step\.ts:\d+: .*(U8|u8)/m);
});

it("keeps less for the backward pass, and does as many operations", () => {
  const [wide, narrow] = [{}, inBfloat16].map((change) => {
    const { step, plan } = compiledWith(change);
    return factsOf(step, plan);
  });
  if (wide === undefined || narrow === undefined) throw new Error("nothing compiled");
  expect(narrow.flopsPerStep).toEqual(wide.flopsPerStep);
  expect(narrow.memory.stateBytes).toBe(wide.memory.stateBytes);
  // Of every block: 10 D of operands and attention's weights at 2 bytes for 4; 6 D that norms and GELU read stay.
  const share = narrow.memory.keptBytes / wide.memory.keptBytes;
  expect(share).toBeGreaterThan(0.5);
  expect(share).toBeLessThan((10 * 2 + 6 * 4) / (16 * 4));
});

/** The first moments after one step, by path: (1 − β1) times the gradient. */
const gradients = (of: Trained): readonly (readonly [path: string, values: Float32Array])[] =>
  [...of.state].filter(([path]) => path.startsWith("m."));

const trained = ["as it is", "pixels", "accumulation and clipping", "drop path", "two contexts", "one block each"];

/** But SimMIM's: the gradient of an absolute error is a sign, which rounding turns round where the error is next to none. */
const { simmim: _, ...smooth } = objectiveVariations;

const changes = variations.flatMap(([name, change]) => (trained.includes(name) ? [[name, change] as const] : []));

it.each<readonly [name: string, change: object]>([...changes, ...Object.entries(smooth)])(
  "%s in bfloat16: loss and gradients within what rounding explains",
  async (_, change) => {
    const compiled = compiledWith({ ...change, ...inBfloat16 });
    const found = await train(compiled, await createReferenceEngine(), 1);
    const exact = await train(compiledWith(change), await createReferenceEngine(), 1);
    const tolerance = toleranceOfCasts(castsOfStep(compiled.model));
    const errors = gradients(exact).map(([path, values]) => relativeError([[found.state.get(path) ?? [], values]]));
    expect(Math.max(...errors)).toBeLessThan(tolerance);
    // as far apart as a single rounding is: that something was rounded at all
    expect(Math.max(...errors)).toBeGreaterThan(2 ** -9);
    expect(relativeError([[found.losses, exact.losses]])).toBeLessThan(2 ** -9);
  },
);
