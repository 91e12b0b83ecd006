/** Lowerings of the layers. Everything works on rows, [all but the last axis, last axis]. */
import type { KernelTable } from "../../table";
import type { Value } from "../graph";
import type { Handle, Recorder, Statistics } from "../recorder";

type LayerOp =
  | "linear"
  | "linearGradInput"
  | "linearGradWeight"
  | "sumRows"
  | "layerNorm"
  | "layerNormGrad"
  | "normalize"
  | "normalizeGrad"
  | "gelu"
  | "geluGrad";

/** LayerNormalization of onnxruntime; its statistics are kept for the gradient. */
function layerNorm(r: Recorder, x: Value, gain: Value, bias: Value | null, eps: number): Value {
  const [rows = 1] = x.dims;
  const [y, mean, inverseDeviation] = r.graph.node({
    op: "LayerNormalization",
    inputs: bias === null ? [x, gain] : [x, gain, bias],
    attributes: { axis: { int: -1 }, epsilon: { float: eps } },
    outputs: [{ dims: x.dims }, { dims: [rows, 1] }, { dims: [rows, 1] }],
  });
  if (!y || !mean || !inverseDeviation) throw new Error("internal: LayerNormalization has three outputs");
  const key = `${x.id} ${eps}`;
  if (!r.statistics.has(key)) r.statistics.set(key, { mean, inverseDeviation });
  return y;
}

function ones(r: Recorder, width: number): Value {
  return r.graph.constant(new Float32Array(width).fill(1), [width]);
}

function statisticsOf(r: Recorder, x: Value, eps: number): Statistics {
  const key = `${x.id} ${eps}`;
  if (!r.statistics.has(key)) layerNorm(r, x, ones(r, Number(x.dims[1])), null, eps);
  const found = r.statistics.get(key);
  if (found === undefined) throw new Error("internal: no statistics");
  return found;
}

/** (x − mean) / deviation */
function normalized(r: Recorder, x: Value, eps: number): Value {
  const { mean, inverseDeviation } = statisticsOf(r, x, eps);
  return r.mul(r.sub(x, mean), inverseDeviation);
}

/** Mean over the last axis of [rows, D], weighted, by a product with a column: [rows, 1]. */
function weightedMean(r: Recorder, x: Value, weights: Value): Value {
  const [rows = 1, width = 1] = x.dims;
  return r.graph.one("MatMul", [x, r.reshape(weights, [width, 1])], [rows, 1]);
}

export const layerLowerings: KernelTable<Recorder, Handle, Value, LayerOp> = {
  linear: (r, [x, weight, bias]) => {
    const parts = { x: r.rows(x), weight: r.full(weight), bias: r.full(bias) };
    const out = r.gemm(parts.x, parts.weight, { c: parts.bias });
    r.linears.set(out, parts);
    return out;
  },
  linearGradInput: (r, [gradient, weight]) => r.gemm(r.rows(gradient), r.full(weight), { transB: true }),
  linearGradWeight: (r, [x, gradient]) => r.gemm(r.rows(x), r.rows(gradient), { transA: true }),
  sumRows: (r, [x]) => r.sumOfRows(r.rows(x)),

  layerNorm: (r, [x, gain, bias], { eps }) => layerNorm(r, r.rows(x), r.full(gain), r.full(bias), eps),

  // dx = (g − mean g − x̂ · mean(g·x̂)) / deviation with g = gradient · gain and x̂ = (x − mean) / deviation. The
  // division is moved from x̂ to what has one number per row, which saves passes over the rows.
  layerNormGrad: (r, [gradient, x, gain], { eps }) => {
    const dy = r.rows(gradient);
    const rows = r.rows(x);
    const scale = r.full(gain);
    const { mean, inverseDeviation: inverse } = statisticsOf(r, rows, eps);
    const centred = r.sub(rows, mean);
    const product = r.mul(dy, centred);
    const share = r.times(scale, 1 / Number(rows.dims[1]));
    const meanG = weightedMean(r, dy, share);
    const factor = r.mul(weightedMean(r, product, share), r.mul(inverse, r.mul(inverse, inverse)));
    const dx = r.sub(r.mul(r.sub(r.mul(dy, scale), meanG), inverse), r.mul(centred, factor));
    return [dx, r.sumOfRows(product, inverse), r.sumOfRows(dy)];
  },

  normalize: (r, [x], { eps }) => layerNorm(r, r.rows(x), ones(r, x.shape.at(-1) ?? 1), null, eps),

  normalizeGrad: (r, [gradient, x], { eps }) => {
    const dy = r.rows(gradient);
    const rows = r.rows(x);
    const unit = normalized(r, rows, eps);
    const mean = r.reduce("ReduceMean", dy, [1], true);
    const meanProduct = r.reduce("ReduceMean", r.mul(dy, unit), [1], true);
    const centred = r.sub(r.sub(dy, mean), r.mul(unit, meanProduct));
    return r.mul(centred, statisticsOf(r, rows, eps).inverseDeviation);
  },

  gelu: (r, [x]) => r.graph.one("Gelu", [x.value], x.value.dims, {}, { domain: "com.microsoft" }),

  // gelu'(x) = ½(1 + erf u + 2/√π · u·e^(−u²)) with u = x/√2. Divided by e^(u²), which saves a negation; where that
  // overflows, the quotient is zero as it should be. The ½ goes into the product that made the gradient (peephole.ts).
  geluGrad: (r, [gradient, x]) => {
    const [dy, h] = r.alike(gradient, x);
    if (!dy || !h) throw new Error("internal: two inputs");
    const u = r.times(h, Math.SQRT1_2);
    const bell = r.times(r.div(u, r.unary("Exp", r.mul(u, u))), 2 / Math.sqrt(Math.PI));
    const slope = r.add(r.add(r.unary("Erf", u), bell), r.graph.scalar(1));
    return r.mul(r.times(dy, 0.5), slope);
  },
};

/** The layers of an encoder in ops of the standard, without what only a gradient reads; one weight stays one tensor. */
export const standardLayers: KernelTable<Recorder, Handle, Value, "linear" | "layerNorm" | "gelu"> = {
  linear: (r, [x, weight, bias]) => r.gemm(r.rows(x), r.full(weight), { c: r.full(bias) }),
  layerNorm: (r, [x, gain, bias], { eps }) => {
    const rows = r.rows(x);
    const attributes = { axis: { int: -1 }, epsilon: { float: eps } };
    return r.graph.one("LayerNormalization", [rows, r.full(gain), r.full(bias)], rows.dims, attributes);
  },
  // x · ½(1 + erf(x/√2)) in the order that runtimes know as one op; Gelu itself is younger than opset 18.
  gelu: (r, [x]) => {
    const erf = r.unary("Erf", r.div(x.value, r.graph.scalar(Math.SQRT2)));
    return r.times(r.mul(x.value, r.add(erf, r.graph.scalar(1))), 0.5);
  },
};
