/**
 * Writes the noted updates at the end of a recording: large tensors one by one, small ones of the same kind together.
 */
import { productOf } from "./dims";
import { first, type Node, producerOf, type Value } from "./graph";
import { type AdamwParts, NOTED_ADAMW, type NOTED_EMA, writeAdamw, writeEma } from "./lowering/update";
import type { Recorder } from "./recorder";

/** A value that is a part of a flat one. */
interface Part {
  readonly flat: Value;
  readonly index: number;
  readonly count: number;
}

export class Updates {
  readonly #parts = new Map<Value, Part>();
  readonly #written = new Map<Value, Value>();

  constructor(private readonly recorder: Recorder) {}

  /** The parts of a flat vector, in their shapes. */
  split(flat: Value, shapes: readonly (readonly number[])[]): Value[] {
    const r = this.recorder;
    const sizes = shapes.map((shape) => shape.reduce((a, b) => a * b, 1));
    return r.cut(flat, sizes).map((part, index) => {
      const shaped = r.reshape(part, shapes[index] ?? []);
      this.#parts.set(shaped, { flat, index, count: shapes.length });
      return shaped;
    });
  }

  /** One flat vector of these values, without a copy where they are the parts of one. */
  join(values: readonly Value[]): Value {
    const r = this.recorder;
    const whole = this.#parts.get(first(values));
    if (
      whole?.count === values.length &&
      values.every((value, index) => {
        const part = this.#parts.get(value);
        return part?.flat === whole.flat && part.index === index;
      })
    ) {
      return whole.flat;
    }
    const flat = values.map((value) => r.reshape(value, [productOf(value.dims)]));
    if (flat.length === 1) return first(flat);
    const size = flat.reduce((sum, { dims }) => sum + Number(dims[0]), 0);
    return r.graph.one("Concat", flat, [size], { axis: { int: 0 } });
  }

  /** What stands for this value once the updates are written. */
  resolve(value: Value): Value {
    return this.#written.get(value) ?? value;
  }

  /** Lets another value stand for this one. */
  replace(value: Value, by: Value): void {
    this.#written.set(value, by);
  }

  /** Writes the updates of one op whose results these are, tensors of one segment. */
  write(op: typeof NOTED_ADAMW | typeof NOTED_EMA, results: readonly Value[]): void {
    const groups = new Map<string, Node[]>();
    for (const result of results) {
      const node = producerOf(result, op);
      if (node === undefined || node.outputs.some((output) => this.#written.has(output))) continue;
      const key = likeness(node, op === NOTED_ADAMW ? 4 : 2);
      const group = groups.get(key) ?? [];
      if (!group.includes(node)) group.push(node);
      groups.set(key, group);
    }
    for (const nodes of groups.values()) {
      if (op === NOTED_ADAMW) this.writeAdamw(nodes);
      else this.writeEma(nodes);
    }
  }

  private writeAdamw(nodes: readonly Node[]): void {
    const inputs = nodes.map(inputsOf);
    const column = (i: number): Value[] => inputs.map((list) => this.resolve(at(list, i)));
    const together = nodes.length > 1;
    const parts: AdamwParts = {
      weight: together ? this.join(column(0)) : at(column(0), 0),
      gradient: together ? this.join(column(1)) : at(column(1), 0),
      m: together ? this.join(column(2)) : at(column(2), 0),
      v: together ? this.join(column(3)) : at(column(3), 0),
      stepSize: at(first(inputs), 4),
      secondMoment: at(first(inputs), 5),
      decayFactor: at(first(inputs), 6),
    };
    const results = writeAdamw(this.recorder, first(nodes), parts);
    results.forEach((result, output) => {
      this.give(nodes, output, result);
    });
  }

  private writeEma(nodes: readonly Node[]): void {
    const inputs = nodes.map(inputsOf);
    const column = (i: number): Value[] => inputs.map((list) => this.resolve(at(list, i)));
    const together = nodes.length > 1;
    const target = together ? this.join(column(0)) : at(column(0), 0);
    const weight = together ? this.join(column(1)) : at(column(1), 0);
    this.give(nodes, 0, writeEma(this.recorder, target, weight, at(first(inputs), 2), at(first(inputs), 3)));
  }

  private give(nodes: readonly Node[], output: number, result: Value): void {
    const noted = nodes.map((node) => at(node.outputs, output));
    if (noted.length === 1) {
      this.#written.set(at(noted, 0), result);
      return;
    }
    const shapes = noted.map(({ dims }) => dims.map(Number));
    this.split(result, shapes).forEach((part, i) => {
      this.#written.set(at(noted, i), part);
    });
  }
}

/** Updates with the same likeness can be written together: same constants, same scalars. */
function likeness(node: Node, tensors: number): string {
  const scalars = node.inputs.slice(tensors).map((value) => value?.id);
  return `${node.op} ${scalars.join()} ${JSON.stringify(node.attributes)}`;
}

function inputsOf(node: Node): Value[] {
  return node.inputs.map((value) => {
    if (value === null) throw new Error(`internal: ${node.op} lacks an input`);
    return value;
  });
}

function at(list: readonly Value[], i: number): Value {
  const value = list[i];
  if (value === undefined) throw new Error(`internal: no value ${i}`);
  return value;
}
