/**
 * The step of a trainer as one list of ops, in the order in which the generated code runs them (compiler/emit/calls.ts),
 * with every block on its own: for the question how much memory it takes at its fullest.
 */
import type { Uses } from "../../runtime/ops/liveness";
import type { Graph, Value } from "../ir/graph";
import { parametersOf } from "../ir/graph";
import type { Num } from "../ir/number";
import type { Stage } from "../ir/stage";
import type { Program, TrainedChain, TrainedStage } from "../optimise/index";

/** A tensor of the step; the same object wherever it is read. */
export interface Item {
  readonly shape: readonly Num[];
}

/** One function that the engine runs, over the whole state. */
export interface WholeFunction {
  readonly ops: readonly Uses<Item>[];
  /** State that it replaces, and what a call gives. */
  readonly given: readonly Item[];
  /** State that it leaves as it is. */
  readonly untouched: readonly Item[];
  /** What replaces the state, and what a call returns. */
  readonly kept: readonly Item[];
  /** What its forward pass keeps for its backward pass, each once: the output of a block is the input of the next. */
  readonly saved: readonly Item[];
}

export interface StepSettings {
  readonly accumulation: number;
  readonly clips: boolean;
}

type Bindings = Map<Value, Item>;

/** Items by the path of a weight, made when they are asked for first. */
class Weights {
  readonly items = new Map<string, Item>();
  at(path: string, shape: readonly Num[]): Item {
    const known = this.items.get(path) ?? { shape };
    this.items.set(path, known);
    return known;
  }
}

/** The functions of a trainer: one step, or what is run for every micro-batch and the update after them. */
export function wholeFunctions(program: Program, { accumulation, clips }: StepSettings): readonly WholeFunction[] {
  const weights = new Weights();
  const target = new Weights();
  const inputs = new Map<string, Item>();
  const ops: Uses<Item>[] = [];

  const instance = (graph: Graph, bindings: Bindings): void => {
    const itemOf = (value: Value): Item => {
      const item = bindings.get(value);
      if (item === undefined) throw new Error(`internal: ${graph.name} reads ${value.name}, which is not there`);
      return item;
    };
    for (const { inputs: read, outputs } of graph.nodes) {
      const made = outputs.map(({ shape }): Item => ({ shape }));
      ops.push({ inputs: read.map(itemOf), outputs: made });
      outputs.forEach((value, i) => {
        const item = made[i];
        if (item !== undefined) bindings.set(value, item);
      });
    }
  };
  /** The weights of a stage in one of its blocks, and its inputs: the running value, and those of the step. */
  const bound = (graph: Graph, of: Weights, block: number, running: Item | undefined): Bindings => {
    const bindings: Bindings = new Map();
    bindWeights(graph, of, block, bindings);
    graph.inputs.forEach((value, i) => {
      const item = i === 0 && running !== undefined ? running : (inputs.get(value.name) ?? { shape: value.shape });
      if (item !== running) inputs.set(value.name, item);
      bindings.set(value, item);
    });
    return bindings;
  };
  const resultOf = (graph: Graph, bindings: Bindings): Item => first(graph.outputs.map((value) => bindings.get(value)));

  const inference = (stages: readonly Stage[], of: Weights): Item => {
    let running: Item | undefined;
    for (const stage of stages) {
      for (const block of blocksOf(stage)) {
        const bindings = bound(stage.graph, of, block, running);
        instance(stage.graph, bindings);
        running = resultOf(stage.graph, bindings);
      }
    }
    return first([running]);
  };

  interface Ran {
    readonly stage: TrainedStage;
    readonly block: number;
    readonly bindings: Bindings;
  }
  const forward = (
    chain: TrainedChain,
    from: Item | undefined,
  ): { readonly ran: readonly Ran[]; readonly result: Item } => {
    const ran: Ran[] = [];
    let running = from;
    for (const stage of chain.stages) {
      for (const block of blocksOf(stage)) {
        const bindings = bound(stage.graph, weights, block, running);
        instance(stage.graph, bindings);
        running = resultOf(stage.graph, bindings);
        ran.push({ stage, block, bindings });
      }
    }
    return { ran, result: first([running]) };
  };
  const gradients = new Map<string, Item>();
  const backward = (ran: readonly Ran[], from: Item): Item => {
    let running = from;
    for (const { stage, block, bindings } of [...ran].reverse()) {
      const { backward: graph, outputGradient, inputGradient, weightGradients } = stage.gradients;
      if (outputGradient !== undefined) bindings.set(outputGradient, running);
      instance(graph, bindings);
      for (const [weight, gradient] of weightGradients) {
        // Backward functions are handed only the weights that they read: paths are those of the forward graph.
        gradients.set(pathOf(stage.graph, weight, block), first([bindings.get(gradient)]));
      }
      if (inputGradient !== undefined) running = first([bindings.get(inputGradient)]);
    }
    return running;
  };

  const savedBy = (ran: readonly Ran[]): readonly Item[] =>
    ran.flatMap(({ stage, bindings }) => stage.gradients.saved.map((value) => first([bindings.get(value)])));

  const targets = inference(program.target.stages, target);
  const context = forward(program.context, undefined);
  const predictor = forward(program.predictor, context.result);
  const given = new Set(inputs.values());
  const saved = [...new Set([...savedBy(context.ran), ...savedBy(predictor.ran)])].filter((item) => !given.has(item));
  const { forward: loss, backward: lossBackward, inputGradient: lossGradient } = program.loss;
  const [prediction, target0] = loss.inputs;
  const lossBindings: Bindings = new Map();
  if (prediction !== undefined) lossBindings.set(prediction, predictor.result);
  if (target0 !== undefined) lossBindings.set(target0, targets);
  instance(loss, lossBindings);
  const lossItem = resultOf(loss, lossBindings);
  instance(lossBackward, lossBindings);
  const dPredictions = first([lossGradient === undefined ? undefined : lossBindings.get(lossGradient)]);
  backward(context.ran, backward(predictor.ran, dPredictions));

  const moments = [...weights.items.values()].map(({ shape }) => ({ shape }));
  const squares = moments.map(({ shape }) => ({ shape }));
  const others = [...target.items.values()];
  const calls = [...inputs.values()];
  const updated = (from: ReadonlyMap<string, Item>): WholeFunction => {
    const update = updateOps(weights.items, target.items, { moments, squares, gradients: from }, clips);
    return {
      ops: update.ops,
      given: [...weights.items.values(), ...moments, ...squares, ...others],
      untouched: [],
      kept: update.kept,
      saved: [],
    };
  };
  if (accumulation === 1) {
    const update = updated(gradients);
    const kept = [...update.kept, lossItem];
    return [{ ops: [...ops, ...update.ops], given: [...update.given, ...calls], untouched: [], kept, saved }];
  }
  const sums = new Map([...gradients].map(([path, { shape }]): [string, Item] => [path, { shape }]));
  const nextSums = [...gradients].map(([path, gradient]): Uses<Item> => {
    return { inputs: [first([sums.get(path)]), gradient], outputs: [{ shape: gradient.shape }] };
  });
  const resident = [...weights.items.values(), ...moments, ...squares, ...others];
  const accumulate: WholeFunction = {
    ops: [...ops, ...nextSums],
    given: [...sums.values(), ...calls],
    untouched: resident,
    kept: [...nextSums.flatMap(({ outputs }) => outputs), lossItem],
    saved,
  };
  // The mean of the sums, the update, and the sums set to zero.
  const means = new Map([...sums].map(([path, { shape }]): [string, Item] => [path, { shape }]));
  const meanOps = [...sums].map(([path, sum]) => ({ inputs: [sum], outputs: [first([means.get(path)])] }));
  const cleared = [...sums.values()].map((sum) => ({ inputs: [sum], outputs: [{ shape: sum.shape }] }));
  const update = updated(means);
  return [
    accumulate,
    {
      ops: [...meanOps, ...update.ops, ...cleared],
      given: [...update.given, ...sums.values()],
      untouched: [],
      kept: [...update.kept, ...cleared.flatMap(({ outputs }) => outputs)],
      saved: [],
    },
  ];
}

interface UpdateState {
  readonly moments: readonly Item[];
  readonly squares: readonly Item[];
  readonly gradients: ReadonlyMap<string, Item>;
}

/** Clipping, AdamW of every weight, then the moving average of every target. */
function updateOps(
  weights: ReadonlyMap<string, Item>,
  target: ReadonlyMap<string, Item>,
  { moments, squares, gradients }: UpdateState,
  clips: boolean,
): { readonly ops: readonly Uses<Item>[]; readonly kept: readonly Item[] } {
  const ops: Uses<Item>[] = [];
  const kept: Item[] = [];
  let used = gradients;
  if (clips) {
    const norm: Item = { shape: [] };
    ops.push({ inputs: [...gradients.values()], outputs: [norm] });
    used = new Map([...gradients].map(([path, { shape }]): [string, Item] => [path, { shape }]));
    for (const [path, gradient] of gradients)
      ops.push({ inputs: [gradient, norm], outputs: [first([used.get(path)])] });
    kept.push(norm);
  }
  const next = new Map<string, Item>();
  [...weights].forEach(([path, weight], i) => {
    const { shape } = weight;
    const outputs = [{ shape }, { shape }, { shape }];
    ops.push({ inputs: [weight, first([used.get(path)]), first([moments[i]]), first([squares[i]])], outputs });
    next.set(path, first(outputs));
    kept.push(...outputs);
  });
  for (const [path, old] of target) {
    const average = { shape: old.shape };
    ops.push({ inputs: [old, first([next.get(path)])], outputs: [average] });
    kept.push(average);
  }
  return { ops, kept };
}

function first(items: readonly (Item | undefined)[]): Item {
  const [item] = items;
  if (item === undefined) throw new Error("internal: the step lacks a value");
  return item;
}

/** The blocks that a stage runs, one after the other. */
function blocksOf({ blocks, repeated }: Stage): readonly number[] {
  if (blocks === undefined) return [0];
  return repeated ? Array.from({ length: blocks.to - blocks.from }, (_, i) => blocks.from + i) : [blocks.from];
}

function pathOf(graph: Graph, weight: Value, block: number): string {
  const group = graph.groups.find(({ name }) => name === weight.parameter?.group);
  if (group === undefined) throw new Error(`internal: ${graph.name} has no weight ${weight.name}`);
  return `${group.path.replace("*", String(block))}.${weight.parameter?.path ?? ""}`;
}

function bindWeights(graph: Graph, of: Weights, block: number, bindings: Bindings): void {
  for (const weight of parametersOf(graph)) bindings.set(weight, of.at(pathOf(graph, weight, block), weight.shape));
}
