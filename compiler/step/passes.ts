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
  readonly loss: LossCall;
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
  const { predictions, targets } = model.compares;
  const loss: LossCall = {
    kind: "loss",
    region: "forward",
    part: "loss",
    loss: model.loss,
    predictions: resultOf(results, predictions),
    targets: resultOf(results, targets),
  };
  const lossGradient: LossGradientCall = { kind: "loss gradient", region: "backward", part: "loss", loss };
  const backward = allBackward(trained, predictions, lossGradient);
  const collect: CollectCall = {
    kind: "collect",
    region: "backward",
    part: "update",
    from: [...backward].reverse(),
    gives: { name: gradients, each: "g", part: "all" },
  };
  return {
    sections: [
      ...sections,
      { title: "Loss", calls: [loss] },
      { title: "Backward", calls: [lossGradient, ...backward, collect] },
    ],
    results,
    loss,
    gradients: collect,
  };
}

/** The last chain first; each is given the gradient of its result by the one that reads it. */
function allBackward(
  trained: readonly { readonly chain: TrainedChain; readonly forward: readonly ForwardCall[] }[],
  predictions: string,
  lossGradient: LossGradientCall,
): readonly BackwardCall[] {
  const gradients = new Map<string, Call>([[predictions, lossGradient]]);
  return [...trained].reverse().flatMap(({ chain, forward }) => {
    const gradient = gradients.get(chain.name);
    if (gradient === undefined) throw new Error(`internal: nothing flows back to the chain ${chain.name}`);
    const calls = backwardCalls(forward, gradient);
    // A second reader needs the sum of both gradients, which no call makes yet.
    if (gradients.has(chain.input)) throw new Error(`internal: the chain ${chain.input} is read twice`);
    gradients.set(chain.input, lastOf(calls));
    return calls;
  });
}
