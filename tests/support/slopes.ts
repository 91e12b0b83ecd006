/** The gradients of a graph against numeric differences, in float64, along one random direction. */
import { expect } from "vitest";
import type { TrainedStage } from "../../compiler/autodiff/trained";
import type { Graph } from "../../compiler/ir/graph";
import type { Dense } from "../../runtime/engines/reference/tensor";
import { randomAt } from "../../runtime/random/random";
import { randomValues, runGraph, tensorOf, type Values } from "./run-graph";

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

/** `own` in place of random ones, by name. */
export function checkSlopes({ gradients }: Pick<TrainedStage, "gradients">, own: Values = new Map()): void {
  const { forward, backward, outputGradient, inputGradient, weightGradients } = gradients;
  const given = new Map([...randomValues(forward, SEED, 16), ...own]);
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
