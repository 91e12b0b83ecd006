/** Gradients of every graph of a model against numeric differences, in float64, along one random direction. */
import { describe, expect, it } from "vitest";
import { differentiate } from "../../../compiler/autodiff/gradients";
import { type TrainedStage, trainedModel } from "../../../compiler/autodiff/trained";
import { type Graph, GraphBuilder, parametersOf } from "../../../compiler/ir/graph";
import { optimize } from "../../../compiler/optimize";
import type { Dense } from "../../../runtime/engines/reference/tensor";
import { randomAt } from "../../../runtime/random/random";
import { randomValues, runGraph, tensorOf, type Values } from "../../support/run-graph";
import { smallModel, trainedOf } from "../../support/small-model";

const SEED = 11;
const STEP = 1e-4;

const dot = (a: Dense, b: Dense): number => a.data.reduce((sum, value, i) => sum + value * (b.data[i] ?? 0), 0);

function randomLike(tensor: Dense, purpose: string): Dense {
  const random = randomAt({ seed: SEED, purpose });
  return { ...tensor, data: Float64Array.from(tensor.data, () => random.normal()) };
}

const moved = (tensor: Dense, direction: Dense, by: number): Dense => ({
  ...tensor,
  data: Float64Array.from(tensor.data, (value, i) => value + by * (direction.data[i] ?? 0)),
});

/** ⟨cotangent, output⟩ as a function of the values that are differentiated by. */
function along(graph: Graph, given: Values, directions: Values, cotangent: Dense, by: number): number {
  const at = new Map(
    [...given].map(([name, value]): [string, Dense] => {
      const direction = directions.get(name);
      return [name, direction === undefined ? value : moved(value, direction, by)];
    }),
  );
  return dot(cotangent, tensorOf(runGraph(graph, at, { rounds: false }), graph.outputs[0]?.name ?? ""));
}

function checkStage({ gradients }: Pick<TrainedStage, "gradients">): void {
  const { forward, backward, outputGradient, inputGradient, weightGradients } = gradients;
  const given = randomValues(forward, SEED, 16);
  const values = runGraph(forward, given, { rounds: false });
  const output = tensorOf(values, forward.outputs[0]?.name ?? "");
  const cotangent =
    outputGradient === undefined ? { ...output, data: Float64Array.of(1) } : randomLike(output, "cotangent");
  const [first] = forward.inputs;
  const wanted = [
    ...(inputGradient === undefined || first === undefined ? [] : [{ of: first.name, gradient: inputGradient.name }]),
    ...[...weightGradients].map(([weight, gradient]) => ({ of: weight.name, gradient: gradient.name })),
  ];
  const directions = new Map(
    wanted.map(({ of }): [string, Dense] => [of, randomLike(tensorOf(given, of), `direction ${of}`)]),
  );
  const atBackward = new Map(values);
  if (outputGradient !== undefined) atBackward.set(outputGradient.name, cotangent);
  const found = runGraph(backward, atBackward, { rounds: false });
  const analytic = wanted.reduce(
    (sum, { of, gradient }) => sum + dot(tensorOf(found, gradient), tensorOf(directions, of)),
    0,
  );
  const at = (by: number): number => along(forward, given, directions, cotangent, by * STEP);
  // fourth order: the error of the differences stays below that of the sums
  const numeric = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * STEP);
  expect(
    Math.abs(analytic - numeric) / Math.max(1, Math.abs(numeric)),
    `seed ${SEED}: ${analytic} for ${numeric}`,
  ).toBeLessThan(1e-6);
  expect(wanted.length).toBeGreaterThan(0);
}

const variations = [
  ["representations", smallModel()],
  ["pixels and mse", smallModel({ targetSpace: "pixels", loss: "mse" })],
  ["two contexts and drop path", smallModel({ contexts: 2, dropPath: true })],
  ["one block", smallModel({ predictor: { dim: 12, depth: 1, heads: 3, hidden: 10 } })],
  // slopes of rounded numbers are none: here casts do not round, and tests/compiler/autodiff/bfloat16.test.ts rounds
  ["operands in bfloat16", smallModel({ operands: "bf16" })],
  ["two contexts and drop path in bfloat16", smallModel({ operands: "bf16", contexts: 2, dropPath: true })],
] as const;

describe.each(variations)("%s", (_name, model) => {
  const trained = trainedModel(optimize(model));
  it.each(trainedOf(trained).map((stage) => [stage.graph.name, stage] as const))("%s", (_graph, stage) =>
    checkStage(stage),
  );
  it("loss", () => checkStage({ gradients: trained.loss }));
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
