/**
 * Reverse-mode differentiation of one graph, ahead of time: a graph goes in, the graph of its gradients comes out.
 *
 *   differentiate : (Graph, wanted) → { backward: Graph, saved: Value[] }
 */
import type { OpName } from "../../runtime/ops/ops";
import { type Graph, GraphBuilder, type Node, parametersOf, type Value } from "../ir/graph";
import { ops } from "../ops";
import type { Vjp, VjpContext } from "../ops/op";

export interface Differentiated {
  readonly forward: Graph;
  /**
   * Inputs: the gradient of the output (where there is one), then the values in `saved`. Outputs: the gradient of the
   * first input (where it is wanted), then those of the weights, in the order of the groups.
   */
  readonly backward: Graph;
  /** Values of the forward graph that the backward graph reads. */
  readonly saved: readonly Value[];
  /** The gradient of the forward graph's output; absent for a loss, whose gradient is 1. */
  readonly outputGradient?: Value;
  /** The gradient of the forward graph's first input. */
  readonly inputGradient?: Value;
  /** Gradients by weight. */
  readonly weightGradients: ReadonlyMap<Value, Value>;
}

const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

/** `dQkvWeight` for `block.attn.qkv.weight`, `dHidden` for `hidden`. */
function gradientName(value: Value): string {
  if (value.parameter === undefined) return `d${capital(value.name)}`;
  const { group, path } = value.parameter;
  const names = [...(group === "block" ? [] : [group]), ...path.split(".").filter((name) => name !== "")];
  return `d${names.slice(-2).map(capital).join("")}`;
}

/** Values that depend on one of `wanted`. */
function dependents(graph: Graph, wanted: ReadonlySet<Value>): ReadonlySet<Value> {
  const found = new Set(wanted);
  for (const node of graph.nodes) {
    if (node.inputs.some((value) => found.has(value))) for (const value of node.outputs) found.add(value);
  }
  return found;
}

/** Values that the output depends on. */
function ancestors(graph: Graph, output: Value): ReadonlySet<Value> {
  const found = new Set([output]);
  for (const node of [...graph.nodes].reverse()) {
    if (node.outputs.some((value) => found.has(value))) for (const value of node.inputs) found.add(value);
  }
  return found;
}

/** The gradient rule of a node; a missing one is a mistake in the model, with the op's own reason. */
function ruleOf(graph: Graph, node: Node): Vjp<OpName> {
  const { vjp } = ops[node.op];
  if ("why" in vjp) {
    throw new Error(`internal: ${node.op} at ${graph.name}.${node.outputs[0]?.name} has no gradient: ${vjp.why}`);
  }
  // The table is typed per op; a node carries the attributes of its own op (GraphBuilder.apply saw to it).
  return vjp as Vjp<OpName>;
}

export function differentiate(graph: Graph, wants: { readonly input: boolean }): Differentiated {
  const [output] = graph.outputs;
  if (output === undefined || graph.outputs.length !== 1) throw new Error(`internal: ${graph.name} needs one output`);
  const weights = parametersOf(graph);
  const [first] = graph.inputs;
  const wanted = new Set([...weights, ...(wants.input && first !== undefined ? [first] : [])]);
  if (!wants.input && graph.nodes.every((node) => !node.inputs.some((value) => wanted.has(value)))) {
    throw new Error(`internal: ${graph.name} has nothing to differentiate by`);
  }
  const depends = dependents(graph, wanted);
  const reached = ancestors(graph, output);
  const isActive = (node: Node) => node.outputs.some((value) => reached.has(value) && depends.has(value));

  const uses = new Map<Value, number>();
  for (const node of graph.nodes.filter(isActive)) {
    for (const value of node.inputs) uses.set(value, (uses.get(value) ?? 0) + 1);
  }

  // What is cast is still the same value: its gradient has its name.
  const uncast = new Map(
    graph.nodes
      .filter(({ op }) => op === "toBf16" || op === "toF32")
      .map(({ inputs, outputs }) => [outputs[0], inputs[0]]),
  );
  const nameOf = (value: Value): string => gradientName(uncast.get(value) ?? value);

  const builder = new GraphBuilder(`${graph.name}Backward`, `Gradients of ${graph.name}.`);
  builder.reserve([...graph.inputs, ...graph.nodes.flatMap((node) => node.outputs)].map((value) => value.name));
  for (const group of graph.groups) builder.group(group);

  const isScalar = output.shape.length === 0;
  const outputGradient = isScalar ? undefined : builder.input(gradientName(output), "f32", output.shape);
  const gradients = new Map<Value, Value>([[output, outputGradient ?? builder.one("one", [], {}, "dLoss")]]);

  const contribute = (value: Value, contribution: Value, left: number): void => {
    const before = gradients.get(value);
    const name = left === 0 ? nameOf(value) : `${nameOf(value)}Partial`;
    gradients.set(value, before === undefined ? contribution : builder.one("add", [before, contribution], {}, name));
  };
  const remaining = new Map(uses);

  for (const node of [...graph.nodes].reverse().filter(isActive)) {
    const cotangents = node.outputs.map((value) => {
      const gradient = gradients.get(value);
      if (gradient === undefined) {
        throw new Error(
          `internal: ${graph.name}: output ${value.name} of ${node.op} is not used, so it has no gradient`,
        );
      }
      return gradient;
    });
    const [gradient] = cotangents;
    if (gradient === undefined) continue;
    const context: VjpContext<OpName> = {
      graph: builder,
      inputs: node.inputs,
      outputs: node.outputs,
      // attributes of the node's own op, see ruleOf
      attrs: node.attrs as VjpContext<OpName>["attrs"],
      gradient,
      gradients: cotangents,
      input: (i) => {
        const value = node.inputs[i];
        if (value === undefined) throw new Error(`internal: ${node.op} has no input ${i}`);
        return value;
      },
      wants: (i) => {
        const value = node.inputs[i];
        return value !== undefined && depends.has(value);
      },
      name: (i) => {
        const value = node.inputs[i];
        if (value === undefined) return "unused";
        const shared = (uses.get(value) ?? 0) > 1;
        return shared ? `${nameOf(value)}From${capital(node.outputs[0]?.name ?? node.op)}` : nameOf(value);
      },
    };
    const contributions = ruleOf(graph, node)(context);
    node.inputs.forEach((value, i) => {
      if (!depends.has(value)) return;
      const contribution = contributions[i];
      if (contribution === undefined) throw new Error(`internal: ${node.op} gives no gradient for ${value.name}`);
      const left = (remaining.get(value) ?? 0) - 1;
      remaining.set(value, left);
      contribute(value, contribution, left);
    });
  }

  const weightGradients = new Map<Value, Value>();
  for (const weight of weights) {
    const gradient = gradients.get(weight);
    if (gradient === undefined) throw new Error(`internal: ${graph.name}: ${weight.name} has no gradient`);
    weightGradients.set(weight, gradient);
  }
  const inputGradient = wants.input && first !== undefined ? gradients.get(first) : undefined;
  const outputs = [...(inputGradient === undefined ? [] : [inputGradient]), ...weightGradients.values()];
  return close({ forward: graph, backward: builder.finish(outputs), outputGradient, inputGradient, weightGradients });
}

/** Fills in what the backward graph reads of the forward one, after the graph is built or rewritten. */
function close(parts: {
  readonly forward: Graph;
  readonly backward: Graph;
  readonly outputGradient: Value | undefined;
  readonly inputGradient: Value | undefined;
  readonly weightGradients: ReadonlyMap<Value, Value>;
}): Differentiated {
  const { forward, backward, outputGradient, inputGradient, weightGradients } = parts;
  const read = new Set([...backward.nodes.flatMap((node) => node.inputs), ...backward.outputs]);
  const isWeight = new Set(parametersOf(forward));
  const saved = [...forward.inputs, ...forward.nodes.flatMap((node) => node.outputs)].filter(
    (value) => read.has(value) && !isWeight.has(value),
  );
  const inputs = [...(outputGradient === undefined ? [] : [outputGradient]), ...saved];
  const groups = backward.groups.filter((group) => group.parameters.some((value) => read.has(value)));
  return {
    forward,
    backward: { ...backward, inputs, groups },
    saved,
    weightGradients,
    ...(outputGradient === undefined ? {} : { outputGradient }),
    ...(inputGradient === undefined ? {} : { inputGradient }),
  };
}

/** The same differentiation with a rewritten backward graph; `moved` maps its old values to new ones. */
export function withBackward(parts: Differentiated, backward: Graph, moved: (value: Value) => Value): Differentiated {
  return close({
    forward: parts.forward,
    backward,
    outputGradient: parts.outputGradient,
    inputGradient: parts.inputGradient === undefined ? undefined : moved(parts.inputGradient),
    weightGradients: new Map([...parts.weightGradients].map(([weight, gradient]) => [weight, moved(gradient)])),
  });
}
