/**
 * A function of the step as one list of ops, in the order in which the generated code runs them, with every block on its
 * own: what memory and operations are counted from.
 */
import type { Uses } from "../../runtime/ops/liveness";
import type { Dtype, OpName } from "../../runtime/ops/ops";
import type { StateName } from "../../runtime/step/trees";
import { type Graph, type Leaf, parametersOf, type Value } from "../ir/graph";
import type { Num } from "../ir/number";
import type { Stage } from "../ir/stage";
import {
  type BackwardCall,
  blocksOf,
  byKind,
  type Call,
  type CallTable,
  callsOf,
  type EachCall,
  type ForwardCall,
  type InferenceCall,
  type LossCall,
  networkOf,
  type ScalarCall,
  type Step,
  type StepFunction,
  shardShape,
  stateTensors,
  type TreeValue,
  weightPath,
} from "./step";

/** A tensor of the step; the same object wherever it is read. */
export interface Item {
  readonly shape: readonly Num[];
  /** Left out: float32, as all is but inputs and what graphs make. */
  readonly dtype?: Dtype;
}

export interface UnrolledOp extends Uses<Item> {
  readonly op: OpName;
  readonly call: Call;
}

/** One function over the whole state. */
export interface UnrolledFunction {
  readonly ops: readonly UnrolledOp[];
  /** State that it replaces, and what it is handed. */
  readonly given: readonly Item[];
  /** State that it leaves as it is. */
  readonly untouched: readonly Item[];
  /** What replaces the state, and what a call gives. */
  readonly kept: readonly Item[];
  /** What its forward pass keeps for its backward pass, each once: the output of a block is the input of the next. */
  readonly saved: readonly Item[];
}

/** The second running value of a chain (ir/stage.ts). */
interface Beside {
  readonly name: string;
  readonly item: Item;
}

type Bindings = Map<Value, Item>;
type Tree = ReadonlyMap<string, Item>;

function first(items: readonly (Item | undefined)[]): Item {
  const [item] = items;
  if (item === undefined) throw new Error("internal: the step lacks a value");
  return item;
}

class Unroller {
  readonly ops: UnrolledOp[] = [];
  readonly saved = new Set<Item>();
  /** What a call made last, and what its blocks bound. */
  private readonly results = new Map<Call, Item>();
  /** What runs beside it, where anything does. */
  private readonly besides = new Map<Call, Beside>();
  private readonly bindings = new Map<ForwardCall, Map<number, Bindings>>();
  private readonly lossBindings = new Map<LossCall, Bindings>();
  /** Gradients of weights by path. */
  private readonly gradients = new Map<string, Item>();
  private readonly leaves = new Map<string, Item>();
  private readonly trees = new Map<TreeValue, Tree>();
  private readonly state = new Map<StateName, Tree>();

  constructor(private readonly step: Step) {
    for (const name of step.state) {
      this.state.set(name, new Map(stateTensors(step, name).map(([path, shape]) => [path, { shape }])));
    }
  }

  get inputs(): readonly Item[] {
    return [...this.leaves.values()];
  }

  stateItems(name: StateName): readonly Item[] {
    return [...(this.state.get(name)?.values() ?? [])];
  }

  result(call: Call): Item {
    return first([this.results.get(call)]);
  }

  private readonly runners: CallTable<void> = {
    inference: (call) => this.runStage(call),
    forward: (call) => this.runStage(call),
    backward: (call) => this.runBackward(call),
    loss: (call) => {
      const { forward } = call.loss;
      const values = call.reads.map((read) => this.result(read));
      const bindings: Bindings = new Map(forward.inputs.map((value, i) => [value, first([values[i]])]));
      this.lossBindings.set(call, bindings);
      this.instance(call, forward, bindings);
      this.results.set(call, first(forward.outputs.map((value) => bindings.get(value))));
    },
    "loss gradient": (call) => {
      const { backward, inputGradient } = call.loss.loss;
      const bindings = this.lossBindings.get(call.loss) ?? new Map<Value, Item>();
      this.instance(call, backward, bindings);
      this.results.set(call, first([inputGradient && bindings.get(inputGradient)]));
    },
    sum: (call) => {
      const inputs = call.terms.map((term) => this.result(term));
      const made: Item = { shape: first(inputs).shape };
      this.ops.push({ op: "add", call, inputs, outputs: [made] });
      this.results.set(call, made);
    },
    collect: (call) => {
      this.trees.set(call.gives, this.gradients);
    },
    each: (call) => this.runEach(call),
    scalar: (call) => this.runScalar(call),
  };

  run(call: Call): void {
    byKind(call, this.runners);
  }

  private instance(call: Call, graph: Graph, bindings: Bindings): void {
    for (const { op, inputs, outputs } of graph.nodes) {
      const made = outputs.map(({ shape, dtype }): Item => ({ shape, dtype }));
      this.ops.push({ op, call, inputs: inputs.map((value) => first([bindings.get(value)])), outputs: made });
      outputs.forEach((value, i) => {
        bindings.set(value, first([made[i]]));
      });
    }
  }

  private leafItem({ tree, path, shape, dtype }: Leaf, block: number): Item {
    const key = `${tree}.${path.replace("*", String(block))}`;
    const item = this.leaves.get(key) ?? { shape, dtype };
    this.leaves.set(key, item);
    return item;
  }

  private weightItem(stage: Stage, weight: Value, block: number, tree: StateName): Item {
    return first([this.state.get(tree)?.get(weightPath(stage, weight, block))]);
  }

  private runStage(call: InferenceCall | ForwardCall): void {
    const { stage } = call;
    let running = call.running && this.result(call.running);
    let beside = call.running && this.besides.get(call.running);
    const byBlock = new Map<number, Bindings>();
    for (const block of blocksOf(stage)) {
      const tree = call.kind === "inference" ? call.weights : "weights";
      const bindings: Bindings = new Map();
      for (const weight of parametersOf(stage.graph)) bindings.set(weight, this.weightItem(stage, weight, block, tree));
      for (const value of stage.graph.inputs) {
        const given = value.name === beside?.name ? beside.item : running;
        bindings.set(value, value.leaf === undefined ? first([given]) : this.leafItem(value.leaf, block));
      }
      this.instance(call, stage.graph, bindings);
      const made = stage.graph.outputs.map((value) => bindings.get(value));
      if (stage.beside !== undefined) beside = { name: stage.beside, item: first(made.splice(-1)) };
      if (made.length > 0) running = first(made);
      byBlock.set(block, bindings);
      if (call.kind === "forward") {
        for (const value of call.stage.gradients.saved) {
          if (value.leaf === undefined) this.saved.add(first([bindings.get(value)]));
        }
      }
    }
    if (call.kind === "forward") this.bindings.set(call, byBlock);
    this.results.set(call, first([running]));
    if (beside !== undefined) this.besides.set(call, beside);
  }

  private runBackward(call: BackwardCall): void {
    const { stage } = call.forward;
    const { backward, outputGradient, inputGradient, weightGradients } = stage.gradients;
    let running = this.result(call.gradient);
    for (const block of [...blocksOf(stage)].reverse()) {
      const bindings = this.bindings.get(call.forward)?.get(block) ?? new Map<Value, Item>();
      if (outputGradient !== undefined) bindings.set(outputGradient, running);
      this.instance(call, backward, bindings);
      for (const [weight, gradient] of weightGradients) {
        this.gradients.set(weightPath(stage, weight, block), first([bindings.get(gradient)]));
      }
      if (inputGradient !== undefined) running = first([bindings.get(inputGradient)]);
    }
    this.results.set(call, running);
  }

  /** The tensors of a tree by path: one that a call made, a part of another, or one of the state. */
  private tensorsOf(tree: TreeValue): Tree {
    if (tree.encoderOf !== undefined) {
      return new Map([...this.tensorsOf(tree.encoderOf)].filter(([path]) => networkOf(path) === "encoder"));
    }
    const made = this.trees.get(tree);
    if (made !== undefined) return made;
    const kept = tree.state && this.state.get(tree.state);
    if (kept === undefined) throw new Error(`internal: the step has no tree ${tree.name}`);
    return kept;
  }

  private runEach(call: EachCall): void {
    const trees = call.trees.map((tree) => this.tensorsOf(tree));
    const scalars = call.scalars.map((scalar) =>
      "leaf" in scalar ? this.leafItem(scalar.leaf, 0) : this.result(scalar.call),
    );
    const made = call.gives.map(() => new Map<string, Item>());
    for (const path of trees[0]?.keys() ?? []) {
      const tensors = trees.map((tree) => first([tree.get(path)]));
      const inputs = [...tensors, ...scalars];
      const shape = this.shapeMade(call, tensors);
      const outputs = made.map((tree) => {
        const item: Item = { shape };
        tree.set(path, item);
        return item;
      });
      this.ops.push({ op: call.op, call, inputs, outputs });
    }
    call.gives.forEach((tree, i) => {
      this.trees.set(tree, made[i] ?? new Map());
    });
  }

  private shapeMade({ op }: EachCall, tensors: readonly Item[]): Item["shape"] {
    if (op === "shard") return shardShape(first([tensors[0]]).shape, this.step.shards);
    return first([tensors[op === "allGather" ? 1 : 0]]).shape;
  }

  private runScalar(call: ScalarCall): void {
    const inputs = "kind" in call.of ? [this.result(call.of)] : [...this.tensorsOf(call.of).values()];
    const made: Item = { shape: [] };
    this.ops.push({ op: call.op, call, inputs, outputs: [made] });
    this.results.set(call, made);
  }

  itemsOf(tree: TreeValue): readonly Item[] {
    return [...this.tensorsOf(tree).values()];
  }
}

export function unroll(step: Step, fn: StepFunction): UnrolledFunction {
  const unroller = new Unroller(step);
  for (const call of callsOf(fn)) unroller.run(call);
  const names = step.state;
  const replaces = (name: StateName): boolean => fn.next[name] !== undefined;
  return {
    ops: unroller.ops,
    given: [...names.filter(replaces).flatMap((name) => unroller.stateItems(name)), ...unroller.inputs],
    untouched: names.filter((name) => !replaces(name)).flatMap((name) => unroller.stateItems(name)),
    kept: [
      ...Object.values(fn.next).flatMap((tree) => unroller.itemsOf(tree)),
      ...fn.outputs.map((call) => unroller.result(call)),
    ],
    saved: [...unroller.saved],
  };
}
