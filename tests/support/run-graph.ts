/** Runs a graph of the compiler on the float64 reference, op by op. */
import type { Graph, Value } from "../../compiler/ir/graph";
import { parametersOf } from "../../compiler/ir/graph";
import { sizeOf } from "../../compiler/ir/number";
import { referenceOps } from "../../runtime/engines/reference/engine";
import { type Dense, fill } from "../../runtime/engines/reference/tensor";
import type { AttrValue } from "../../runtime/ops/adapter";
import type { OpName } from "../../runtime/ops/ops";
import { type Random, randomAt } from "../../runtime/random/random";

export type Values = ReadonlyMap<string, Dense>;

/** Random weights and inputs by name; indices stay below `tokens`. */
export function randomValues(graph: Graph, seed: number, tokens: number): Values {
  return new Map(
    [...graph.inputs, ...parametersOf(graph)].map((value): [string, Dense] => {
      const random = randomAt({ seed, purpose: `graph ${value.name}` });
      return [value.name, randomTensor(value, random, tokens)];
    }),
  );
}

function randomTensor({ dtype, shape }: Value, random: Random, tokens: number): Dense {
  const sizes = shape.map((num) => sizeOf(num));
  if (dtype === "i32") return { ...fill(sizes, () => random.integer(tokens)), dtype };
  // small enough that attention is not saturated, where numeric differences lose their digits
  return fill(sizes, () => 0.4 * random.normal());
}

/** The casts, so that they change the format and no number: what is left of a graph in bfloat16 is exact. */
const castsWithoutRounding: Partial<Record<OpName, (x: Dense) => Dense>> = {
  toBf16: (x) => ({ ...x, dtype: "bf16" }),
};

/** Every value of a graph by name. `rounds: false`: without the rounding of casts. */
export function runGraph(graph: Graph, given: Values, { rounds = true } = {}): Values {
  const values = new Map(given);
  for (const { op, inputs, attrs, outputs } of graph.nodes) {
    const tensors = inputs.map((value) => {
      const found = values.get(value.name);
      if (found === undefined) throw new Error(`${graph.name}: no value for ${value.name}`);
      return found;
    });
    const numbers = Object.fromEntries(
      Object.entries(attrs).map(([name, value]): [string, AttrValue] => [
        name,
        typeof value === "boolean" ? value : sizeOf(value),
      ]),
    );
    // the graph was verified: inputs and attributes are those of the op
    const cast = rounds ? undefined : castsWithoutRounding[op];
    const call = (cast ?? referenceOps[op]) as unknown as (...args: readonly unknown[]) => Dense | readonly Dense[];
    const result = call(...tensors, numbers);
    const results = Array.isArray(result) ? (result as readonly Dense[]) : [result as Dense];
    outputs.forEach((value, i) => {
      const made = results[i];
      if (made !== undefined) values.set(value.name, made);
    });
  }
  return values;
}

export function tensorOf(values: Values, name: string): Dense {
  const found = values.get(name);
  if (found === undefined) throw new Error(`no value ${name}`);
  return found;
}
