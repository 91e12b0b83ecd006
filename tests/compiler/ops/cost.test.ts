/** The cost formulas against counted operations, for every op, on its sample call. */
import { describe, expect, test } from "vitest";
import { GraphBuilder, type IrAttrs } from "../../../compiler/ir/graph";
import { graphCost } from "../../../compiler/ops/cost";
import { referenceOps } from "../../../runtime/engines/reference/engine";
import type { Dense } from "../../../runtime/engines/reference/tensor";
import { outputShapes } from "../../../runtime/ops/adapter";
import { formatBytes } from "../../../runtime/ops/formats";
import type { OpName } from "../../../runtime/ops/ops";
import { signatures } from "../../../runtime/ops/signatures";
import { Counter, countingOps } from "../../support/counting-ops";
import { callOp, type DenseCall, denseSample } from "../../support/op-calls";
import { opNames } from "../../support/op-samples";

const SEED = 3;

/** The cost of a graph with this one op. */
function costOf(op: OpName, { inputs, attrs }: DenseCall) {
  const graph = new GraphBuilder("sample", "");
  const values = inputs.map(({ dtype, shape }, i) => graph.input(`x${i}`, dtype, shape));
  const names = Array.from({ length: signatures[op].outputs }, (_, i) => `y${i}`);
  // The sample of the op has its attributes; here only its name is known.
  const apply = graph.apply.bind(graph) as (
    op: OpName,
    inputs: typeof values,
    attrs: IrAttrs,
    ...names: readonly string[]
  ) => unknown;
  apply(op, values, attrs, ...names);
  return graphCost(graph.finish([]), {});
}

function counted(
  op: OpName,
  { inputs, attrs }: DenseCall,
): { readonly outputs: readonly Dense[]; readonly flops: number } {
  const kernel = countingOps[op] as
    | "moves"
    | ((c: Counter, inputs: readonly Dense[], attrs: object, shapes: readonly (readonly number[])[]) => unknown);
  // The reference ops give what they take: tensors with their numbers.
  if (kernel === "moves") return { outputs: callOp(referenceOps, op, inputs, attrs) as readonly Dense[], flops: 0 };
  const counter = new Counter();
  const shapes = outputShapes<number>(
    op,
    inputs.map(({ shape }) => shape),
    attrs,
  );
  const result = kernel(counter, inputs, attrs, shapes);
  return { outputs: (Array.isArray(result) ? result : [result]) as readonly Dense[], flops: counter.flops };
}

describe.each(opNames)("%s", (op) => {
  // Small differences: smoothL1 takes its longer branch.
  const call = denseSample(op, SEED, 1 / 16);
  const { outputs, flops } = counted(op, call);
  const numbers = outputs.flatMap(({ data }) => [...data]);

  test("what is counted computes the op", () => {
    if (countingOps[op] === "moves") {
      const given = new Set([0, ...call.inputs.flatMap(({ data }) => [...data])]);
      expect(numbers.filter((value) => !given.has(value))).toEqual([]);
      return;
    }
    const wanted = callOp(referenceOps, op, call.inputs, call.attrs) as readonly Dense[];
    expect(outputs.map(({ shape }) => shape)).toEqual(wanted.map(({ shape }) => shape));
    const values = wanted.flatMap(({ data }) => [...data]);
    for (const [i, value] of values.entries()) expect(numbers[i], `seed ${SEED}, number ${i}`).toBeCloseTo(value, 12);
  });

  test("operations", () => {
    expect(costOf(op, call).flops).toBe(flops);
  });

  test("bytes read and written", () => {
    const bytes = [...call.inputs, ...outputs].map(({ data, dtype }) => formatBytes[dtype] * data.length);
    expect(costOf(op, call).bytes).toBe(bytes.reduce((sum, each) => sum + each, 0));
  });
});
