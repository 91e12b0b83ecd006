/**
 * `precision: "bf16"`: products take their operands in bfloat16. Every operand is cast where the first product reads it,
 * once for a value; products sum in float32 and give float32, so that nothing else changes its format. It runs last of
 * the passes on forward graphs, and before differentiation: gradient rules of products read the cast operands, so what is
 * kept of them is bfloat16, and cast the gradients that they multiply with (compiler/ops/layers.ts, attention.ts).
 *
 * What stays float32, and why: weights, moments and moving averages, whose updates are smaller than a bfloat16 can take
 * up (2⁻⁸ of the weight); statistics of norms, sums of softmax, sums of biases' gradients and the loss, which add up many
 * numbers; and all that lies between products. The last is what PyTorch's autocast does not do: it hands on the products'
 * results in bfloat16. On a CPU elementwise ops in bfloat16 are slower than in float32; for cards and TPUs the engine does as
 * PyTorch does (runtime/engines/xla/target.ts).
 */
import { isProduct } from "../../runtime/ops/signatures";
import { type Graph, type Node, type Value, withNodes } from "../ir/graph";
import { newNode, settleNames } from "./rewrite";

/** Of linear layers and products alike; what follows, such as a bias, is float32. */
const OPERANDS = 2;

/** `qkvWeight` of `block.attn.qkv.weight`, the value's own name where it is no weight. */
function plainName({ name, parameter }: Value): string {
  if (parameter === undefined) return name;
  const path = parameter.path.split(".").filter((part) => part !== "");
  const parts = parameter.group === "block" ? path : [parameter.group, ...path];
  return parts
    .slice(-2)
    .map((part, i) => (i === 0 ? part : part.charAt(0).toUpperCase() + part.slice(1)))
    .join("");
}

/** Casts the operands of every product; a graph without products stays as it is. */
export function castOperands(graph: Graph): Graph {
  const casts = new Map<Value, Value>();
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    if (!isProduct(node.op)) {
      nodes.push(node);
      continue;
    }
    const inputs = node.inputs.map((operand, i) => {
      if (i >= OPERANDS || operand.dtype !== "f32") return operand;
      const known = casts.get(operand);
      if (known !== undefined) return known;
      const cast = newNode("toBf16", [operand], {}, `${plainName(operand)}Bf16`);
      nodes.push(cast.node);
      casts.set(operand, cast.value);
      return cast.value;
    });
    nodes.push({ ...node, inputs });
  }
  return casts.size === 0 ? graph : settleNames(withNodes(graph, nodes));
}
