/** Gradients of every graph of a model against numeric differences, in float64, along one random direction. */
import { describe, expect, it } from "vitest";
import { differentiate } from "../../../compiler/autodiff/gradients";
import { trainedModel } from "../../../compiler/autodiff/trained";
import { GraphBuilder, parametersOf } from "../../../compiler/ir/graph";
import { objectiveOf } from "../../../compiler/objectives";
import { optimize } from "../../../compiler/optimize";
import { checkSlopes } from "../../support/slopes";
import { smallModel, smallNumbers, trainedOf } from "../../support/small-model";

function decoderOf(change: Parameters<typeof smallModel>[0]) {
  const model = objectiveOf("ijepa").decoder(
    { ...smallNumbers, ...change },
    { dim: 12, depth: 2, heads: 3, hidden: 10 },
  );
  if ("why" in model) throw new Error(model.why);
  return model;
}

const variations = [
  ["representations", smallModel()],
  ["pixels and mse", smallModel({ targetSpace: "pixels", loss: "mse" })],
  ["two contexts and drop path", smallModel({ contexts: 2, dropPath: true })],
  ["one block", smallModel({ predictor: { dim: 12, depth: 1, heads: 3, hidden: 10 } })],
  ["a decoder", decoderOf({})],
  ["a decoder of what is not normalized, with two contexts", decoderOf({ normalizeTargets: false, contexts: 2 })],
  // slopes of rounded numbers are none: here casts do not round, and tests/compiler/autodiff/bfloat16.test.ts rounds
  ["operands in bfloat16", smallModel({ operands: "bf16" })],
  ["two contexts and drop path in bfloat16", smallModel({ operands: "bf16", contexts: 2, dropPath: true })],
] as const;

describe.each(variations)("%s", (_name, model) => {
  const trained = trainedModel(optimize(model));
  it.each(trainedOf(trained).map((stage) => [stage.graph.name, stage] as const))("%s", (_graph, stage) =>
    checkSlopes(stage),
  );
  it("loss", () => checkSlopes({ gradients: trained.loss }));
});

describe("what cannot be differentiated", () => {
  it("says which op and why", () => {
    const g = new GraphBuilder("mistake", "");
    const weights = g.group({
      name: "layer",
      type: { name: "F32", axes: [4] },
      path: "layer",
      parameters: [{ name: "layer", dtype: "f32", shape: [4, 3], parameter: { group: "layer", path: "" } }],
    });
    const index = g.input("index", "i32", [2, 2]);
    const graph = g.finish([g.one("gatherRows", [weights(""), index], {}, "out")]);
    expect(parametersOf(graph)).toHaveLength(1);
    expect(() => differentiate(graph, { input: false })).toThrow(
      "internal: gatherRows at mistake.out has no gradient: position tables are constants",
    );
  });
});
