/**
 * What an objective's model is, for all that comes after: chains of small graphs in the order in which they run, a loss, the
 * weights, and the trees of the step. Passes, gradients, step, memory, cost and text are folds over it, and none of them
 * knows which objective it is.
 */
import type { OperandFormat } from "../../runtime/ops/ops";
import type { Graph } from "../ir/graph";
import type { Chain, Ends } from "../ir/stage";
import type { Dims } from "./dims";
import type { NetworkLayout } from "./networks";
import type { ModelTrees } from "./trees";

/** The chain that all others begin with: images → their patches. */
export const IMAGES = "images";

/** A chain in its place in the step. */
interface PlacedChain extends Chain {
  /** Whose work it is, for costs and for the map at the head of step.ts: `target encoder`. */
  readonly part: string;
  /** The chain whose result its first stage is given: IMAGES, or one that runs before. */
  readonly input: string;
  /** What passes may join, and why or why not; absent where the chain stays as it is. */
  readonly ends?: ChainEnds;
}

export interface ChainEnds extends Ends {
  readonly may: boolean;
  /** One clause. */
  readonly because: string;
}

/** A chain that nothing flows back through. */
export interface FrozenChain extends PlacedChain {
  readonly kind: "frozen";
  /** The tree of the state that its weights are of. */
  readonly weights: "weights" | "target";
  /** What generated code calls what it is at between its stages, and what it ends with. */
  readonly running: string;
  readonly result: string;
}

/** A chain that is trained by its weights, and by what it is given where that is a trained chain's result. */
export interface LearningChain extends PlacedChain {
  readonly kind: "trained";
}

/** Patches → one vector for each image, for probes. */
export interface FeaturesChain extends Chain {
  readonly weights: FrozenChain["weights"];
  readonly part: string;
  /** A sentence above the generated function. */
  readonly doc: string;
}

/** A second term of the loss, of what a trained chain ends with; the graph gives it with its weight. */
export interface Regularizer<Term = Graph> {
  /** The chain. */
  readonly of: string;
  readonly term: Term;
}

export interface Model {
  readonly dims: Dims;
  readonly trees: ModelTrees;
  /** In the order of the tree of weights; the first is the encoder. */
  readonly networks: readonly NetworkLayout[];
  /** Networks that are read from the state and not trained, where that are others: the encoder of a decoder of its features. */
  readonly frozen?: readonly NetworkLayout[];
  /** Number format of the operands of products; the graphs are float32 until a pass casts them. */
  readonly operands: OperandFormat;
  /** Images → their patches. */
  readonly images: Chain;
  /**
   * In order of execution. The result of a trained chain is read by others or by a term of the loss; where several read it,
   * their gradients are added, the last reader's first.
   */
  readonly chains: readonly (FrozenChain | LearningChain)[];
  /** Predictions, targets → loss; the gradient is that by the first. */
  readonly loss: Graph;
  /** The chains that it compares; predictions are those of a trained one. */
  readonly compares: { readonly predictions: string; readonly targets: string };
  readonly regularizer?: Regularizer;
  readonly features: FeaturesChain;
  /** Whether the state has a target encoder, the moving average (EMA) of the encoder. */
  readonly averages: boolean;
  /** Set where recorded runs hold the targets of every patch, the predicted ones among them (emit/observe.ts). */
  readonly observesAllTargets?: true;
  /** Where the algorithm is told, for the comment above the step: `paper §3`. */
  readonly source: string;
  // Methods of two views (BYOL, VICReg, SimCLR, DINO, MSN, iBOT) will need a chain for each view, statistics over the batch
  // of all devices as a call between forward and loss, and trees of the state of their own (queues, centres) beside `averages`.
}

/** Whether the state has a target encoder: one that follows, or one that a frozen chain reads as it is. */
export const readsTarget = ({ averages, chains }: Pick<Model, "averages" | "chains">): boolean =>
  averages ||
  chains.some(
    (chain) =>
      chain.kind === "frozen" &&
      chain.weights === "target" &&
      chain.stages.some(({ graph }) => graph.groups.length > 0),
  );

/** The chain of this name. */
export function chainOf<C extends { readonly name: string }>(
  { chains }: { readonly chains: readonly C[] },
  name: string,
): C {
  const found = chains.find((chain) => chain.name === name);
  if (found === undefined) throw new Error(`internal: the model has no chain ${name}`);
  return found;
}
