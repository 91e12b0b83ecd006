/**
 * The terms of VICReg (Bardes et al. 2022, §4.1) on the context's features, as C-JEPA adds them to the loss of I-JEPA (Mo and
 * Tong 2024, arXiv 2410.19560, §3): L = L_prediction + weight · (variance · V + covariance · C), there 0.001 · (25 V + C), on its
 * pooled context in the paper's pseudo-code. Its
 * invariance term between two views is the prediction itself here.
 */
import type { RegularizerPlan } from "../../../runtime/experiment";
import { type Graph, GraphBuilder } from "../../ir/graph";
import { expression } from "../../ir/number";
import { once } from "../../model/encoder";
import { layers } from "../../model/layers";
import type { LearningChain, Regularizer } from "../../model/model";
import type { IJepaDims } from "./dims";
import type { IJepaNumbers } from "./numbers";

/** The deviation that every feature should have, and what is added to its square (§4.1 of the VICReg paper). */
const GAMMA = 1;
const EPS = expression("1e-4", 1e-4);

/** The chain that the terms read. */
const POOLED = "pooled";

/** Who makes of the context's features what the predictor reads; with a regularizer it is not their only reader. */
export const contextEmbedding = ({ regularizer }: Pick<IJepaNumbers, "regularizer">): string =>
  regularizer === null ? layers.embed : layers.embedContext;

function poolGraph(dims: IJepaDims): Graph {
  const g = new GraphBuilder("pooledContext", "One vector for each context: the mean over its patches.");
  const x = g.input("x", "f32", [dims.contextRows, dims.context, dims.encoder.width], "encoded");
  return g.finish([g.one("meanTokens", [x], {}, "features")]);
}

/** weight · term, as the product that it is in the paper. */
const weightOf = (weight: number, term: number) => expression(`${weight} * ${term}`, weight * term);

function termGraph({ weight, variance, covariance }: RegularizerPlan, dims: IJepaDims): Graph {
  const g = new GraphBuilder(
    "regularizerOf",
    "VICReg over the batch: features should deviate by at least 1 (variance), and not together (covariance).",
  );
  const features = g.input("features", "f32", [dims.contextRows, dims.encoder.width], "encoded");
  const attrs = { weight: weightOf(weight, variance), gamma: GAMMA, eps: EPS };
  const ofVariance = g.one("varianceTerm", [features], attrs, "variance");
  const ofCovariance = g.one("covarianceTerm", [features], { weight: weightOf(weight, covariance) }, "covariance");
  return g.finish([g.one("add", [ofVariance, ofCovariance], {}, "regularizer")]);
}

/** What a regularizer adds to the model: a chain behind the context encoder, and a term of the loss. */
export function regularizing(
  { regularizer }: IJepaNumbers,
  dims: IJepaDims,
): { readonly chains: readonly LearningChain[]; readonly regularizer?: Regularizer } {
  if (regularizer === null) return { chains: [] };
  return {
    chains: [
      {
        kind: "trained",
        name: POOLED,
        part: "regularizer",
        title: "Features of the context, for the regularizer",
        input: "context",
        stages: [once(poolGraph(dims))],
      },
    ],
    regularizer: { of: POOLED, term: termGraph(regularizer, dims) },
  };
}
