/** A step that reduces over devices is two graphs; what they write in place, and what each of them computes. */
import { expect, test } from "vitest";
import { compile } from "../../../../compiler/compile";
import { specFromText } from "../../../../compiler/spec/load";
import { mayOverwrite } from "../../../../runtime/engines/onnx/alias";
import { bucketsOf } from "../../../../runtime/engines/onnx/buckets";
import type { Recording } from "../../../../runtime/engines/onnx/cut";
import { layoutOf } from "../../../../runtime/engines/onnx/layout";
import { record } from "../../../../runtime/engines/onnx/record";
import { stepEngineFunctions } from "../../../../runtime/loop/functions";
import { stateSpecs } from "../../../../runtime/loop/state";
import { shardsOf } from "../../../../runtime/step/shards";
import { evaluateTrainer } from "../../../support/generated";
import { base } from "../../../support/variations";

async function recordings(change: {
  readonly gpus: number;
  readonly accumulation: number;
  readonly clipNorm?: number;
  readonly shardOptimizer?: true;
}) {
  const { gpus, shardOptimizer = false, ...optimization } = change;
  const spec = { ...base, optimization: { ...base.optimization, ...optimization }, hardware: { gpus, shardOptimizer } };
  const loaded = specFromText({ text: JSON.stringify(spec), file: "spec.json" });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  const program = await evaluateTrainer(compile(loaded).files);
  const layout = layoutOf(stateSpecs(program.parameters, program.state, shardsOf(program.experiment)));
  const place = { rank: gpus - 1, size: gpus };
  const { microBatch, update } = stepEngineFunctions(program);
  return {
    program,
    graphs: [microBatch, ...(update === null ? [] : [update])].map((fn) => record(fn, layout, "cpu", place)),
  };
}

const products = ({ nodes }: Recording): number => nodes.filter(({ op }) => /MatMul|Gemm/.test(op)).length;

test.each([
  [{ gpus: 1, accumulation: 1 }, [1]],
  [{ gpus: 2, accumulation: 1 }, [2]],
  [{ gpus: 2, accumulation: 1, clipNorm: 1 }, [2]],
  [{ gpus: 1, accumulation: 2 }, [1, 1]],
  [{ gpus: 2, accumulation: 2 }, [1, 2]],
])("%j: graphs of each function %j", async (change, wanted) => {
  const { program, graphs } = await recordings(change);
  expect(graphs.map(({ length }) => length)).toEqual(wanted);
  for (const [before, after] of graphs) {
    if (before === undefined || after === undefined) continue;
    // Every gradient once, and the loss, and no new state.
    expect(before.gives.length).toBe(program.parameters.length);
    expect(after.takes.map(({ name }) => name)).toEqual(before.gives.map(({ name }) => name));
    expect(before.state.filter(({ output }) => output !== null)).toEqual([]);
    expect(before.outputs.map(({ path }) => path)).toEqual(change.accumulation === 1 ? ["loss"] : []);
    // The update computes nothing of the passes again.
    expect(products(after)).toBe(0);
    for (const { segment, input, output } of after.state) {
      if (input === null || output === null) continue;
      expect(mayOverwrite(after.nodes, input.value, output.value), segment.name).toBe(true);
    }
  }
});

test.each([
  [{ gpus: 2, accumulation: 1, shardOptimizer: true }, [3]],
  [{ gpus: 4, accumulation: 1, clipNorm: 1, shardOptimizer: true }, [3]],
  [{ gpus: 2, accumulation: 2, shardOptimizer: true }, [1, 3]],
] as const)("%j: graphs of each function %j", async (change, wanted) => {
  const { program, graphs } = await recordings(change);
  expect(graphs.map(({ length }) => length)).toEqual(wanted);
  const [before, shards, after] = graphs.at(-1) ?? [];
  const replaced = (graph: Recording | undefined): readonly string[] =>
    (graph?.state ?? []).flatMap(({ segment, output }) =>
      output === null ? [] : [segment.name.split(/[.|]/)[0] ?? ""],
    );
  expect(new Set(replaced(before))).toEqual(new Set());
  expect(new Set(replaced(shards))).toEqual(new Set(["m", "v", ...(change.accumulation === 1 ? [] : ["gradients"])]));
  // The weights are filled where the devices meet, not by a graph.
  expect(new Set(replaced(after))).toEqual(new Set(["target"]));
  expect(shards?.shards.map(({ piece }) => piece.path).sort()).toEqual(
    program.parameters.map(({ path }) => `weights.${path}`).sort(),
  );
  // Nothing of the passes is computed again.
  for (const graph of [shards, after]) expect(graph && products(graph)).toBe(0);
});

test("gradients lie in buckets in the order in which the backward pass gives them", async () => {
  const { program, graphs } = await recordings({ gpus: 2, accumulation: 1 });
  const [before] = graphs[0] ?? [];
  const place = new Map(before?.nodes.map((node, i) => [node, i]));
  const places = (before?.gives ?? []).map(({ value: { source } }) =>
    source.kind === "node" ? place.get(source.node) : -1,
  );
  expect(places).toEqual([...places].sort((a, b) => Number(a) - Number(b)));
  expect(places.length).toBe(program.parameters.length);
});

test("tensors lie in buckets one after the other, on a cache line each", async () => {
  const { graphs } = await recordings({ gpus: 2, accumulation: 1 });
  const gives = graphs[0]?.[0]?.gives ?? [];
  const { all, find } = bucketsOf(gives, 1000);
  expect(all.length).toBeGreaterThan(3);
  const taken = new Map<ArrayBufferLike, number>();
  for (const { name, value } of gives) {
    const part = find(name);
    expect(part.length).toBe(value.dims.reduce<number>((size, dim) => size * Number(dim), 1));
    expect(part.byteOffset % 64).toBe(0);
    expect(part.byteOffset).toBeGreaterThanOrEqual(taken.get(part.buffer) ?? 0);
    taken.set(part.buffer, part.byteOffset + part.byteLength);
  }
  expect(taken.size).toBe(all.length);
  expect(bucketsOf(gives, 2 ** 24).all.length).toBe(1);
});
