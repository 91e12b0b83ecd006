/** Forward and backward of a trained model as calls: every chain in its place, then their gradients, the last one first. */
import type { TrainedChain, TrainedModel } from "../autodiff/trained";
import type { Chain } from "../ir/stage";
import { type FrozenChain, IMAGES } from "../model/model";
import type {
  BackwardCall,
  Call,
  CollectCall,
  ForwardCall,
  InferenceCall,
  LossCall,
  LossGradientCall,
  Part,
  Section,
  SumCall,
} from "./step";

/** What the calls of a chain without gradients are told. */
export interface InferenceNames extends Pick<FrozenChain, "running" | "result" | "weights"> {
  readonly part: Part;
  /** What gives its first stage its main input; left out where it reads the step's inputs alone. */
  readonly input?: Call;
}

/** The calls of a chain that nothing flows back through. */
export function inferenceCalls(
  chain: Chain,
  { running: name, result, weights, part, input }: InferenceNames,
): readonly [calls: readonly InferenceCall[], last: InferenceCall] {
  const calls: InferenceCall[] = [];
  chain.stages.forEach((stage, i) => {
    const isLast = i === chain.stages.length - 1;
    const running = calls.at(-1) ?? input;
    calls.push({
      kind: "inference",
      region: "forward",
      part,
      stage,
      weights,
      ...(running === undefined ? {} : { running }),
      result: isLast ? result : name,
      isLast,
    });
  });
  return [calls, lastOf(calls)];
}

/** The patches of the images, which every other chain begins with. */
export function imageCalls({ images }: Pick<TrainedModel, "images">): ReturnType<typeof inferenceCalls> {
  // The chain has no weights, so the tree is one that every state has.
  return inferenceCalls(images, { running: "pixels", result: "patches", part: IMAGES, weights: "weights" });
}

function forwardCalls(chain: TrainedChain, input: Call): readonly ForwardCall[] {
  const calls: ForwardCall[] = [];
  for (const stage of chain.stages) {
    const running = calls.at(-1) ?? input;
    calls.push({
      kind: "forward",
      region: "forward",
      part: chain.part,
      stage,
      chain: chain.name,
      ...(running === undefined ? {} : { running }),
    });
  }
  return calls;
}

function backwardCalls(forward: readonly ForwardCall[], gradient: Call): readonly BackwardCall[] {
  const calls: BackwardCall[] = [];
  for (const call of [...forward].reverse()) {
    calls.push({
      kind: "backward",
      region: "backward",
      part: call.part,
      forward: call,
      gradient: calls.at(-1) ?? gradient,
    });
  }
  return calls;
}

function lastOf<T>(calls: readonly T[]): T {
  const last = calls.at(-1);
  if (last === undefined) throw new Error("internal: a chain without stages");
  return last;
}

/** Forward and backward, and what they make on the way. */
export interface Passes {
  readonly sections: readonly Section[];
  /** What a chain ends with, by its name. */
  readonly results: ReadonlyMap<string, InferenceCall | ForwardCall>;
  /** The loss, and its regularizer where it has one. */
  readonly losses: readonly (LossCall | SumCall)[];
  readonly gradients: CollectCall;
}

function resultOf(results: Passes["results"], name: string): InferenceCall | ForwardCall {
  const found = results.get(name);
  if (found === undefined) throw new Error(`internal: the chain ${name} is read before it runs`);
  return found;
}

/** `gradients` is the name of what the backward pass ends with. */
export function passesOf(model: TrainedModel, gradients: string): Passes {
  const [images, patches] = imageCalls(model);
  const results = new Map<string, InferenceCall | ForwardCall>([[IMAGES, patches]]);
  const sections: Section[] = [{ title: model.images.title, calls: images }];
  const trained: { readonly chain: TrainedChain; readonly forward: readonly ForwardCall[] }[] = [];
  for (const chain of model.chains) {
    const input = resultOf(results, chain.input);
    if (chain.kind === "frozen") {
      const [calls, last] = inferenceCalls(chain, { ...chain, input });
      sections.push({ title: chain.title, calls });
      results.set(chain.name, last);
    } else {
      const forward = forwardCalls(chain, input);
      sections.push({ title: chain.title, calls: forward });
      results.set(chain.name, lastOf(forward));
      trained.push({ chain, forward });
    }
  }
  const loss = lossOf(model, results);
  const backward = allBackward(trained, loss.terms);
  const collect: CollectCall = {
    kind: "collect",
    region: "backward",
    part: "update",
    from: backward.filter((call) => call.kind === "backward").reverse(),
    gives: { name: gradients, each: "g", part: "all" },
  };
  return {
    sections: [
      ...sections,
      { title: loss.title, calls: loss.calls },
      { title: "Backward", calls: [...backward, collect] },
    ],
    results,
    losses: loss.outputs,
    gradients: collect,
  };
}

/** A term of the loss, with the chain whose result it is differentiated by. */
interface Term {
  readonly call: LossCall;
  readonly of: string;
}

interface Loss {
  readonly title: string;
  readonly calls: readonly Call[];
  readonly terms: readonly Term[];
  readonly outputs: Passes["losses"];
}

/** How the predictions compare with the targets; where there is a regularizer, the sum of both. */
function lossOf({ loss, compares, regularizer }: TrainedModel, results: Passes["results"]): Loss {
  const ofLoss = { region: "forward", part: "loss" } as const;
  const compared: LossCall = {
    ...ofLoss,
    kind: "loss",
    loss,
    reads: [resultOf(results, compares.predictions), resultOf(results, compares.targets)],
    name: regularizer === undefined ? "loss" : "predictionLoss",
  };
  const first: Term = { call: compared, of: compares.predictions };
  if (regularizer === undefined) return { title: "Loss", calls: [compared], terms: [first], outputs: [compared] };
  const term: LossCall = {
    ...ofLoss,
    kind: "loss",
    loss: regularizer.term,
    reads: [resultOf(results, regularizer.of)],
    name: "regularizer",
  };
  const sum: SumCall = { ...ofLoss, kind: "sum", terms: [compared, term], name: "loss" };
  return {
    title: "Loss: of the predictions, and the regularizer",
    calls: [compared, term, sum],
    terms: [first, { call: term, of: regularizer.of }],
    outputs: [sum, term],
  };
}

function lossGradient(call: LossCall): LossGradientCall {
  const { inputGradient } = call.loss;
  if (inputGradient === undefined) throw new Error("internal: a loss without a gradient");
  return { kind: "loss gradient", region: "backward", part: "loss", loss: call, name: inputGradient.name };
}

/** The last chain first; each is given the gradients of its result by all that read it, added. */
function allBackward(
  trained: readonly { readonly chain: TrainedChain; readonly forward: readonly ForwardCall[] }[],
  terms: readonly Term[],
): readonly (BackwardCall | LossGradientCall | SumCall)[] {
  const names = new Set(trained.map(({ chain }) => chain.name));
  const gradients = new Map<string, readonly BackwardCall[]>();
  return [...trained].reverse().flatMap(({ chain, forward }) => {
    const ofTerms = terms.filter(({ of }) => of === chain.name).map(({ call }) => lossGradient(call));
    const [first, ...others] = [...(gradients.get(chain.name) ?? []), ...ofTerms];
    if (first === undefined) throw new Error(`internal: nothing flows back to the chain ${chain.name}`);
    const sums: SumCall[] = [];
    for (const [i, other] of others.entries()) {
      sums.push({
        kind: "sum",
        region: "backward",
        part: chain.part,
        terms: [sums.at(-1) ?? first, other],
        name: `d${chain.name.charAt(0).toUpperCase()}${chain.name.slice(1)}${i === others.length - 1 ? "" : `Of${i + 2}`}`,
      });
    }
    const calls = backwardCalls(forward, sums.at(-1) ?? first);
    if (names.has(chain.input)) {
      gradients.set(chain.input, [...(gradients.get(chain.input) ?? []), lastOf(calls)]);
    }
    return [...ofTerms, ...sums, ...calls];
  });
}
