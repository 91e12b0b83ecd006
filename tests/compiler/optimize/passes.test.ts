/** A pass may change how numbers are computed, never the numbers. */
import { describe, expect, it } from "vitest";
import type { Graph } from "../../../compiler/ir/graph";
import type { Chain } from "../../../compiler/ir/stage";
import { verify } from "../../../compiler/ir/verify";
import { chainOf } from "../../../compiler/model/model";
import { graphCost } from "../../../compiler/ops/cost";
import { fuseEnds } from "../../../compiler/optimize/fuse-ends";
import { selectEarly } from "../../../compiler/optimize/select-early";
import { shareTiles } from "../../../compiler/optimize/share-tiles";
import { simplify } from "../../../compiler/optimize/simplify";
import { randomValues, runGraph, tensorOf } from "../../support/run-graph";
import { smallModel } from "../../support/small-model";

const SEED = 7;

function graphCalled(chain: Chain, name: string): Graph {
  const found = chain.stages.find((stage) => stage.graph.name === name);
  if (found === undefined) throw new Error(`no ${name} in ${chain.stages.map((stage) => stage.graph.name).join(", ")}`);
  return found.graph;
}

const model = smallModel();
const targetTail = graphCalled(fuseEnds(chainOf(model, "target"), { last: "tail" }), "tail");
const predictor = fuseEnds(chainOf(model, "predictor"), { first: "head", last: "tail" });
const twoContexts = smallModel({ contexts: 2, dropPath: true });
const headOfTwo = graphCalled(fuseEnds(chainOf(twoContexts, "predictor"), { first: "head" }), "head");
const onlyBlock = fuseEnds(
  chainOf(smallModel({ predictor: { dim: 12, depth: 1, heads: 3, hidden: 10 } }), "predictor"),
  {
    first: "head",
    last: "only",
  },
);

const rewrites: readonly (readonly [name: string, graph: Graph, pass: (graph: Graph) => Graph, saved: number])[] = [
  ["select early: the target encoder's last block", targetTail, selectEarly, 0.1],
  ["select early: the predictor's last block", graphCalled(predictor, "tail"), selectEarly, 0.3],
  ["share tiles: the predictor's first block", graphCalled(predictor, "head"), shareTiles, 0.1],
  ["share tiles: with two contexts", headOfTwo, shareTiles, 0.1],
  ["both: a predictor of one block", graphCalled(onlyBlock, "only"), (graph) => shareTiles(selectEarly(graph)), 0.3],
];

describe.each(rewrites)("%s", (name, graph, pass, saved) => {
  const rewritten = verify(pass(graph), name);

  it("keeps every number", () => {
    const given = randomValues(graph, SEED, 16);
    const [before] = graph.outputs;
    const [after] = rewritten.outputs;
    const want = tensorOf(runGraph(graph, given), before?.name ?? "");
    const got = tensorOf(runGraph(rewritten, given), after?.name ?? "");
    expect(got.shape).toEqual(want.shape);
    for (const [i, value] of want.data.entries()) expect(got.data[i]).toBeCloseTo(value, 9);
  });

  it("saves operations", () => {
    expect(graphCost(rewritten, {}).flops).toBeLessThan((1 - saved) * graphCost(graph, {}).flops);
  });
});

describe("simplify", () => {
  it("finds nothing to do twice", () => {
    const once = simplify(targetTail).graph;
    expect(simplify(once).graph.nodes).toEqual(once.nodes);
  });
});

describe("fuse ends", () => {
  const blocksOf = (chain: Chain) =>
    chain.stages.flatMap(({ blocks, repeated }) => (blocks === undefined ? [] : [[blocks.from, blocks.to, repeated]]));
  const withDepth = (depth: number) =>
    chainOf(smallModel({ predictor: { dim: 12, depth, heads: 3, hidden: 10 } }), "predictor");
  it.each([
    [1, [[0, 1, false]]],
    [
      2,
      [
        [0, 1, false],
        [1, 2, false],
      ],
    ],
    [
      3,
      [
        [0, 1, false],
        [1, 2, true],
        [2, 3, false],
      ],
    ],
    [
      9,
      [
        [0, 1, false],
        [1, 8, true],
        [8, 9, false],
      ],
    ],
  ])("a predictor of %i blocks", (depth, want) => {
    expect(blocksOf(fuseEnds(withDepth(depth), { first: "head", last: "tail" }))).toEqual(want);
  });
});
