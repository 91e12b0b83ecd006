/**
 * Chooses tokens before the work instead of after it: `select(f(x))` becomes `f(select(x))` for every op that treats
 * tokens alone, and in attention only the queries of chosen tokens are computed. Exact; saves most of the last block of
 * the target encoder (only target patches are read) and of the predictor (only mask tokens are).
 */
import type { OpName } from "../../runtime/ops/ops";
import { type Graph, type IrAttrs, type Node, replaceValues, type Value, withNodes } from "../ir/graph";
import { ops } from "../ops";
import { newNode, type Producers, producersOf, removeDead, settleNames } from "./rewrite";

class Selector {
  readonly added: Node[] = [];
  private readonly done = new Map<Value, Value>();

  constructor(
    private readonly producers: Producers,
    private readonly selection: Node,
  ) {}

  private emit(op: OpName, inputs: readonly Value[], attrs: IrAttrs, name: string): Value {
    const { node, value } = newNode(op, inputs, attrs, name);
    this.added.push(node);
    return value;
  }

  /** The chosen tokens of a value that is needed as it is. */
  private choose(value: Value): Value {
    const known = this.done.get(value);
    if (known !== undefined) return known;
    const chosen = this.emit(
      this.selection.op,
      [value, ...this.selection.inputs.slice(1)],
      this.selection.attrs,
      `${value.name}Chosen`,
    );
    this.done.set(value, chosen);
    return chosen;
  }

  /** The chosen tokens of a value, computed from chosen tokens as far up as that goes. */
  push(value: Value): Value {
    const known = this.done.get(value);
    if (known !== undefined) return known;
    const node = this.producers.get(value);
    const chosen =
      node === undefined
        ? this.choose(value)
        : (this.throughOp(node) ?? this.throughAttention(node) ?? this.choose(value));
    this.done.set(value, chosen);
    return chosen;
  }

  private throughOp(node: Node): Value | undefined {
    const { tokenwise } = ops[node.op];
    const [output] = node.outputs;
    if (tokenwise === null || output === undefined) return undefined;
    const inputs = node.inputs.map((value, i) => (i < tokenwise.inputs ? this.push(value) : value));
    return this.emit(node.op, inputs, node.attrs, output.name);
  }

  /** mergeHeads(softmax(q·kᵀ)·v) of splitHeads(linear(x)): q from the chosen tokens of x, k and v from all. */
  private throughAttention(merge: Node): Value | undefined {
    if (merge.op !== "mergeHeads") return undefined;
    const makerOf = (value: Value | undefined, op: OpName): Node | undefined => {
      const node = value === undefined ? undefined : this.producers.get(value);
      return node?.op === op ? node : undefined;
    };
    const mix = makerOf(merge.inputs[0], "matmul");
    const attention = makerOf(mix?.inputs[0], "softmax");
    const score = makerOf(attention?.inputs[0], "matmulNT");
    const split = makerOf(score?.inputs[0], "splitHeads");
    const qkv = makerOf(split?.inputs[0], "linear");
    const nameOf = (node: Node) => node.outputs[0]?.name ?? node.op;
    const [, keys] = score?.inputs ?? [];
    const [, values] = mix?.inputs ?? [];
    const ofQueries = makerOf(score?.inputs[0], "unmergeHeads");
    const queries = makerOf(ofQueries?.inputs[0], "linear");
    const attend = (q: Value, k: Value, v: Value): Value | undefined => {
      if (!mix || !attention || !score) return undefined;
      const scores = this.emit("matmulNT", [q, k], score.attrs, nameOf(score));
      const weights = this.emit("softmax", [scores], {}, nameOf(attention));
      const mixed = this.emit("matmul", [weights, v], mix.attrs, nameOf(mix));
      return this.emit("mergeHeads", [mixed], merge.attrs, nameOf(merge));
    };
    // Some were chosen before, so that queries are apart from keys and values already.
    if (ofQueries && queries && keys && values) {
      const [from, ...weights] = queries.inputs;
      if (from === undefined) return undefined;
      const projected = this.emit("linear", [this.choose(from), ...weights], {}, nameOf(queries));
      return attend(this.emit("unmergeHeads", [projected], ofQueries.attrs, nameOf(ofQueries)), keys, values);
    }
    const [x, weight, bias] = qkv?.inputs ?? [];
    const width = merge.attrs.width;
    const { heads, headWidth } = split?.attrs ?? {};
    if (!mix || !attention || !score || !split || !x || !weight || !bias) return undefined;
    if (typeof width !== "object" || heads === undefined || headWidth === undefined) return undefined;

    const part = (name: "q" | "k" | "v", from: Value, i: number): Value => {
      const start =
        i === 0
          ? 0
          : i === 1
            ? width
            : ({ kind: "expression", name: `2 * ${width.name}`, size: 2 * width.size } as const);
      const partOf = (weights: Value, suffix: string) =>
        this.emit("sliceColumns", [weights], { start, width }, `${name}${suffix}`);
      const projected = this.emit(
        "linear",
        [from, partOf(weight, "Weight"), partOf(bias, "Bias")],
        {},
        `${name}Merged`,
      );
      return this.emit("unmergeHeads", [projected], { heads, headWidth }, name);
    };
    const q = part("q", this.choose(x), 0);
    const k = part("k", x, 1);
    const v = part("v", x, 2);
    return attend(q, k, v);
  }
}

/** All tokens are made anyway where somebody else reads them. */
const isReadBesides = ({ nodes, outputs }: Graph, value: Value, reader: Node): boolean =>
  outputs.includes(value) || nodes.some((node) => node !== reader && node.inputs.includes(value));

/** Moves every selection of tokens in a graph as far up as it goes. */
export function selectEarly(graph: Graph): Graph {
  let current = graph;
  for (const { op, outputs } of graph.nodes) {
    const [output] = outputs;
    if ((op !== "sliceTokens" && op !== "gatherTokens") || !output) continue;
    const producers = producersOf(current);
    // An earlier selection may have given it another input.
    const selection = producers.get(output);
    const [from] = selection?.inputs ?? [];
    if (selection === undefined || from === undefined) continue;
    const maker = producers.get(from);
    if (maker === undefined || ops[maker.op].tokenwise === null || isReadBesides(current, from, selection)) continue;
    const selector = new Selector(producers, selection);
    const chosen = selector.push(from);
    const at = current.nodes.indexOf(selection);
    const nodes = [...current.nodes.slice(0, at), ...selector.added, ...current.nodes.slice(at + 1)];
    current = replaceValues(withNodes(current, nodes), new Map([[output, chosen]]));
  }
  return current === graph ? graph : settleNames(removeDead(current));
}
