/** Small rewrites of a recorded graph, made when it is known who reads what. */
import type { Graph, Node, Value } from "./graph";
import { producerOf } from "./graph";

/** Rewrites nodes in place; those that are no longer needed are simply not reached any more. */
export function peephole(graph: Graph, nodes: readonly Node[], results: ReadonlySet<Value>): void {
  const readers = new Map<Value, number>();
  for (const node of nodes) {
    for (const input of node.inputs) if (input !== null) readers.set(input, (readers.get(input) ?? 0) + 1);
  }
  /** The node of this op that makes the value, if nobody else reads it. */
  const soleProducer = (value: Value | null | undefined, op: string): Node | undefined =>
    value && readers.get(value) === 1 && !results.has(value) ? producerOf(value, op) : undefined;

  for (const node of nodes) {
    if (node.op === "Gelu") biasIntoGelu(graph, node, soleProducer(node.inputs[0], "Gemm"));
    if (node.op === "Mul") {
      const product = soleProducer(node.inputs[0], "Gemm");
      if (product !== undefined) scaleIntoGemm(graph, node, product);
    }
  }
}

/** Gelu(x·w + bias) → BiasGelu(x·w, bias): one pass over the largest tensor of a block instead of two. */
function biasIntoGelu(graph: Graph, gelu: Node, product: Node | undefined): void {
  const [x, weight, bias] = product?.inputs ?? [];
  const hidden = gelu.inputs[0];
  if (!product || !x || !weight || !bias || !hidden || Object.keys(product.attributes).length > 0) return;
  if (bias.dims.length !== 1) return;
  graph.rewrite(product, { op: "MatMul", domain: "", inputs: [x, weight], attributes: {} });
  graph.rewrite(gelu, { op: "BiasGelu", domain: "com.microsoft", inputs: [hidden, bias], attributes: {} });
}

/** (a·b)·scalar → the same product with that alpha; the Mul takes the place of the product. */
function scaleIntoGemm(graph: Graph, mul: Node, product: Node): void {
  const factor = mul.inputs[1];
  if (factor?.source.kind !== "constant" || factor.dims.length > 0) return;
  if (product.inputs.length > 2 || product.attributes.alpha) return;
  const by = factor.source.data[0];
  if (typeof by !== "number") return;
  const attributes = { ...product.attributes, alpha: { float: by } };
  graph.rewrite(mul, { op: "Gemm", domain: "", inputs: product.inputs, attributes });
}
