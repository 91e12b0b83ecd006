/** Gradients of graphs in bfloat16 beside those in float64: apart by what rounding the operands of products explains. */
import { describe, expect, it } from "vitest";
import { type TrainedStage, trainedModel } from "../../../compiler/autodiff/trained";
import { optimize } from "../../../compiler/optimize";
import { castsOf } from "../../../compiler/step/casts";
import type { Dense } from "../../../runtime/engines/reference/tensor";
import { randomAt } from "../../../runtime/random/random";
import { toleranceOfCasts } from "../../../runtime/replay/bfloat16";
import { relativeError } from "../../support/bfloat16";
import { randomValues, runGraph, tensorOf } from "../../support/run-graph";
import { testSeed as seed } from "../../support/seed";
import { smallModel, trainedOf } from "../../support/small-model";

/** Gradients by the names of weights, and that by the input, along one random gradient of the output. */
function gradientsOf({ gradients }: Pick<TrainedStage, "gradients">): ReadonlyMap<string, Dense> {
  const { forward, backward, outputGradient, inputGradient, weightGradients } = gradients;
  const values = new Map(runGraph(forward, randomValues(forward, seed, 16)));
  const output = tensorOf(values, forward.outputs[0]?.name ?? "");
  const random = randomAt({ seed, purpose: "cotangent" });
  if (outputGradient !== undefined) {
    values.set(outputGradient.name, { ...output, data: output.data.map(() => random.normal()) });
  }
  const found = runGraph(backward, values);
  return new Map([
    ...[...weightGradients].map(([weight, { name }]): [string, Dense] => [weight.name, tensorOf(found, name)]),
    ...(inputGradient === undefined ? [] : [["input", tensorOf(found, inputGradient.name)] as const]),
  ]);
}

describe.each([
  ["representations", {}],
  ["pixels and mse", { targetSpace: "pixels", loss: "mse" }],
  ["two contexts and drop path", { contexts: 2, dropPath: true }],
  ["one block", { predictor: { dim: 12, depth: 1, heads: 3, hidden: 10 } }],
] as const)(`%s (seed ${seed})`, (_, change) => {
  const exact = trainedModel(optimize(smallModel(change)));
  const rounded = trainedModel(optimize(smallModel({ ...change, operands: "bf16" })));
  const pairs = (["context", "predictor"] as const).flatMap((chain) =>
    trainedOf(exact, chain).flatMap((stage, i) => {
      const same = trainedOf(rounded, chain)[i];
      return same === undefined ? [] : [[stage.graph.name, stage, same] as const];
    }),
  );
  it.each(pairs)("%s", (_name, exactStage, stage) => {
    const found = gradientsOf(stage);
    const wanted = gradientsOf(exactStage);
    expect([...found.keys()]).toEqual([...wanted.keys()]);
    const casts = castsOf(stage);
    for (const [name, { data }] of wanted) {
      const error = relativeError([[found.get(name)?.data ?? [], data]]);
      expect(error, name).toBeLessThanOrEqual(toleranceOfCasts(casts));
    }
    const whole = relativeError([...wanted].map(([name, { data }]) => [found.get(name)?.data ?? [], data]));
    // as far apart as a single rounding is: that something was rounded at all
    expect(whole > 2 ** -10).toBe(casts > 0);
  });
});
