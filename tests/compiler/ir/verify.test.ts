/** The verifier: a graph that is right, and every way in which it can be wrong. */
import { expect, test } from "vitest";
import { type Graph, GraphBuilder, type Node, type Value } from "../../../compiler/ir/graph";
import { type Dim, expression } from "../../../compiler/ir/number";
import { verify } from "../../../compiler/ir/verify";

const dim = (name: string, size: number): Dim => ({ kind: "dim", name, size, counts: name, varies: false });
const [N, D, F] = [dim("N", 5), dim("D", 6), dim("F", 10)];

/** hidden = linear(x), activated = gelu(hidden), twice = add(activated, activated). */
function rightGraph() {
  const g = new GraphBuilder("right", "");
  const weights = g.group({
    name: "layer",
    type: { name: "Linear", axes: [D, F] },
    path: "layer",
    parameters: [
      { name: "layer.weight", dtype: "f32", shape: [D, F], parameter: { group: "layer", path: "weight" } },
      { name: "layer.bias", dtype: "f32", shape: [F], parameter: { group: "layer", path: "bias" } },
    ],
  });
  const x = g.input("x", "f32", [N, D]);
  const hidden = g.one("linear", [x, weights("weight"), weights("bias")], {}, "hidden");
  const activated = g.one("gelu", [hidden], {}, "activated");
  const twice = g.one("add", [activated, activated], {}, "twice");
  return { graph: g.finish([twice]), x, hidden, activated, twice };
}

type Right = ReturnType<typeof rightGraph>;

/** The graph with node i exchanged. */
function withNode({ graph }: Right, i: number, change: (node: Node) => Node): Graph {
  return { ...graph, nodes: graph.nodes.map((node, place) => (place === i ? change(node) : node)) };
}

const made = (value: Value, change: Partial<Value>) => (node: Node) => ({
  ...node,
  outputs: [{ ...value, ...change }],
});

const cases: readonly (readonly [what: string, graph: (right: Right) => Graph, why: string])[] = [
  [
    "a value that is used before it is made",
    ({ graph }) => ({ ...graph, nodes: [...graph.nodes.slice(1), ...graph.nodes.slice(0, 1)] }),
    "gelu uses hidden before it is made",
  ],
  [
    "a value that nobody makes",
    (right) => withNode(right, 1, (node) => ({ ...node, inputs: [{ ...right.hidden }] })),
    "gelu uses hidden before it is made",
  ],
  ["a weight of no group", ({ graph }) => ({ ...graph, groups: [] }), "linear uses layer.weight before it is made"],
  [
    "a node twice",
    ({ graph }) => ({ ...graph, nodes: [...graph.nodes, ...graph.nodes.slice(1, 2)] }),
    "two values are called activated",
  ],
  [
    "a value with the name of an input",
    (right) => withNode(right, 2, made(right.twice, { name: "x" })),
    "two values are called x",
  ],
  [
    "a value with the name of a weight",
    (right) => withNode(right, 2, made(right.twice, { name: "layer.bias" })),
    "two values are called layer.bias",
  ],
  ["two inputs of one name", ({ graph, x }) => ({ ...graph, inputs: [x, { ...x }] }), "two values are called x"],
  [
    "an axis by another name, though of the same size",
    (right) => withNode(right, 2, made(right.twice, { shape: [dim("M", 5), F] })),
    "twice is [M, F], but add gives [N, F]",
  ],
  [
    "an axis too many",
    (right) => withNode(right, 2, made(right.twice, { shape: [1, N, F] })),
    "twice is [1, N, F], but add gives [N, F]",
  ],
  [
    "an axis that is arithmetic and no size",
    (right) => {
      const tokens = expression("2 * N", 10);
      const node = { op: "padTokens", inputs: [right.twice], attrs: { start: 0, tokens } } as const;
      const padded: Value = { name: "padded", dtype: "f32", shape: [tokens, F] };
      return { ...right.graph, nodes: [...right.graph.nodes, { ...node, outputs: [padded] }] };
    },
    "padded has an axis that is no size",
  ],
  [
    "fewer outputs than the op has",
    (right) => withNode(right, 2, (node) => ({ ...node, outputs: [] })),
    "add gives 1 values; found 0",
  ],
  [
    "more outputs than the op has",
    (right) => withNode(right, 2, (node) => ({ ...node, outputs: [right.twice, { ...right.twice, name: "more" }] })),
    "add gives 1 values; found 2",
  ],
  [
    "an input too few",
    (right) => withNode(right, 2, (node) => ({ ...node, inputs: node.inputs.slice(1) })),
    "add([N, F]): takes 2 tensors; found 1",
  ],
  [
    "inputs that do not fit",
    (right) => withNode(right, 2, (node) => ({ ...node, inputs: [right.activated, right.x] })),
    "add([N, F], [N, D]): shapes differ: [N, F] and [N, D]",
  ],
  [
    "an output that is not made",
    ({ graph, twice }) => ({ ...graph, outputs: [{ ...twice }] }),
    "output twice is not made",
  ],
];

test("what is right passes as it is", () => {
  const { graph } = rightGraph();
  expect(verify(graph, "model")).toBe(graph);
});

test.each(cases)("refuses %s", (_, graph, why) => {
  expect(() => verify(graph(rightGraph()), "a pass")).toThrow(
    new Error(`internal: graph right after "a pass": ${why}`),
  );
});
