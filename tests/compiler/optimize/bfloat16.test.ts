/** Casts of operands, and what a backward graph reads of a forward graph with casts. */
import { describe, expect, it } from "vitest";
import { trainedModel } from "../../../compiler/autodiff/trained";
import { type Graph, GraphBuilder, type Value } from "../../../compiler/ir/graph";
import { nameOf, shapeText } from "../../../compiler/ir/number";
import type { Stage } from "../../../compiler/ir/stage";
import { verify } from "../../../compiler/ir/verify";
import { graphCost } from "../../../compiler/ops/cost";
import { optimize } from "../../../compiler/optimize";
import { castOperands } from "../../../compiler/optimize/bfloat16";
import { keepBfloat16 } from "../../../compiler/optimize/keep-bfloat16";
import { isProduct } from "../../../runtime/ops/signatures";
import { smallModel, trainedOf } from "../../support/small-model";

/** One value that two products read, with a weight and a bias. */
function twoProducts(): Graph {
  const g = new GraphBuilder("two", "");
  const weights = g.group({
    name: "layer",
    type: { name: "Linear", axes: [4, 4] },
    path: "layer",
    parameters: ["weight", "bias"].map((path) => ({
      name: `layer.${path}`,
      dtype: "f32",
      shape: path === "weight" ? [4, 4] : [4],
      parameter: { group: "layer", path },
    })),
  });
  const x = g.input("x", "f32", [2, 3, 4]);
  const once = g.one("linear", [x, weights("weight"), weights("bias")], {}, "once");
  const active = g.one("gelu", [once], {}, "active");
  const scores = g.one("matmulNT", [active, x], { scale: 1 }, "scores");
  return g.finish([scores]);
}

const linesOf = ({ nodes }: Graph): readonly string[] =>
  nodes.map(({ op, inputs, attrs, outputs }) => {
    const made = outputs.map(({ name, dtype, shape }) => `${name}: ${dtype}${shapeText(shape)}`).join(", ");
    const given = Object.entries(attrs).map(
      ([name, value]) => `${name}=${typeof value === "boolean" ? value : nameOf(value)}`,
    );
    return `${made} = ${[op, ...given, ...inputs.map(({ name }) => name)].join(" ")}`;
  });

describe("cast operands", () => {
  it("casts every operand where it is read first, once for a value, and nothing else", () => {
    const cast = verify(castOperands(twoProducts()), "cast operands");
    expect(linesOf(cast)).toEqual([
      "xBf16: bf16[2, 3, 4] = toBf16 x",
      "layerWeightBf16: bf16[4, 4] = toBf16 layer.weight",
      "once: f32[2, 3, 4] = linear xBf16 layerWeightBf16 layer.bias",
      "active: f32[2, 3, 4] = gelu once",
      "activeBf16: bf16[2, 3, 4] = toBf16 active",
      "scores: f32[2, 3, 3] = matmulNT scale=1 activeBf16 xBf16",
    ]);
    expect(castOperands(cast)).toBe(cast);
  });

  it("leaves a graph without products as it is", () => {
    const { loss } = smallModel();
    expect(castOperands(loss)).toBe(loss);
  });

  it("counts two bytes for a bfloat16, and no operations for a cast", () => {
    const plain = graphCost(twoProducts(), {});
    const cast = graphCost(castOperands(twoProducts()), {});
    expect(cast.flops).toBe(plain.flops);
    // Of 24, 16 and 24 numbers, casts read 4 bytes and write 2; products read 2 bytes of x twice, the weight and the rest.
    expect(cast.bytes - plain.bytes).toBe((24 + 16 + 24) * (4 + 2) - (2 * 24 + 16 + 24) * 2);
  });

  it("every product of a model takes bfloat16, and its gradients too", () => {
    const model = trainedModel(optimize(smallModel({ operands: "bf16" })));
    const { chains, loss, features } = model;
    const trained = trainedOf(model);
    const graphs = [
      ...[...chains, features].flatMap((chain): readonly Stage[] => chain.stages).map(({ graph }) => graph),
      ...trained.map(({ gradients }) => gradients.backward),
      loss.forward,
      loss.backward,
    ];
    const products = graphs.flatMap(({ nodes }) => nodes.filter(({ op }) => isProduct(op)));
    expect(products.length).toBeGreaterThan(60);
    expect(products.filter(({ inputs }) => inputs.slice(0, 2).some(({ dtype }) => dtype !== "bf16"))).toEqual([]);
    // what crosses from function to function is float32
    expect(graphs.flatMap(({ outputs }) => outputs).filter(({ dtype }) => dtype !== "f32")).toEqual([]);
  });

  it("the verifier refuses a number format that an op does not give", () => {
    const graph = castOperands(twoProducts());
    const wrong = (value: Value): Value => ({ ...value, dtype: "f32" });
    const [first, ...others] = graph.nodes;
    if (first === undefined) throw new Error("no node");
    const broken = { ...graph, nodes: [{ ...first, outputs: first.outputs.map(wrong) }, ...others] };
    expect(() => verify(broken, "a test")).toThrow('graph two after "a test": xBf16 is f32, but toBf16 gives bf16');
  });
});

describe("what is kept for the backward pass", () => {
  const stages = trainedOf(trainedModel(optimize(smallModel({ operands: "bf16" }))));
  const savedOf = (name: string): Readonly<Record<string, string>> => {
    const stage = stages.find(({ graph }) => graph.name === name);
    return Object.fromEntries((stage?.gradients.saved ?? []).map((value) => [value.name, value.dtype]));
  };

  it("operands in bfloat16, what norms and GELU read in float32, nothing twice and no weights", () => {
    expect(savedOf("contextBlock")).toEqual({
      x: "f32",
      norm1Bf16: "bf16",
      qBf16: "bf16",
      kBf16: "bf16",
      vBf16: "bf16",
      attentionBf16: "bf16",
      mergedBf16: "bf16",
      afterAttention: "f32",
      norm2Bf16: "bf16",
      hidden: "f32",
      activatedBf16: "bf16",
    });
  });

  it("a weight is cast again, from the group that the backward function is handed", () => {
    const stage = stages.find(({ graph }) => graph.name === "predictorLastBlock");
    const backward = stage?.gradients.backward;
    expect(backward?.groups.map(({ name }) => name)).toEqual(["block", "norm", "proj"]);
    expect(linesOf(backward ?? twoProducts())).toContainEqual("projWeightBf162: bf16[P, D] = toBf16 proj.weight");
  });

  it("a backward graph without casts is left as it is", () => {
    const { gradients } = trainedOf(trainedModel(optimize(smallModel())), "context")[1] ?? {};
    if (gradients === undefined) throw new Error("no block");
    expect(keepBfloat16(gradients.forward, gradients.backward)).toBe(gradients.backward);
  });
});
