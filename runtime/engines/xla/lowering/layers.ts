/** Lowerings of layers: products with weights, norms, GELU. */
import type { KernelTable } from "../../table";
import { type Builder, sizeAt, type Value } from "../builder";

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

/** Mean over the last axis, at every place of it. */
function spreadMean(b: Builder, x: Value): Value {
  return b.atFirst(b.times(b.sumLast(x), 1 / sizeAt(x, -1)), x.shape);
}

interface Normalized {
  /** (x − mean) / √(variance + eps) */
  readonly unit: Value;
  /** 1 / √(variance + eps), at every place of the row. */
  readonly inverse: Value;
}

/** The biased variance, as layer norm takes it. */
function normalized(b: Builder, x: Value, eps: number): Normalized {
  const centred = b.sub(x, spreadMean(b, x));
  const variance = b.times(b.sumLast(b.mul(centred, centred)), 1 / sizeAt(x, -1));
  const inverse = b.atFirst(b.unary("rsqrt", b.add(variance, b.scalar(eps))), x.shape);
  return { unit: b.mul(centred, inverse), inverse };
}

/** Gradient of the normalization by x, given that by its output. */
function normalizedGradient(b: Builder, gradient: Value, { unit, inverse }: Normalized): Value {
  const share = b.mul(unit, spreadMean(b, b.mul(gradient, unit)));
  return b.mul(b.sub(b.sub(gradient, spreadMean(b, gradient)), share), inverse);
}

function sumRows(b: Builder, x: Value): Value {
  return b.reduce(
    "add",
    x,
    x.shape.slice(0, -1).map((_, i) => i),
  );
}

export const layerLowerings: KernelTable<Builder, Value, Value, LayerOp> = {
  linear: (b, [x, weight, bias], _, [out = []]) => {
    const plain = b.dotForLayers(b.rows(x), weight, { contract: [[1], [0]] });
    return b.add(b.reshape(plain, out), b.atLast(b.convert(bias, "f32"), out));
  },
  linearGradInput: (b, [gradient, weight], _, [out = []]) =>
    b.reshape(b.dotForLayers(b.rows(gradient), b.castAgain(weight, gradient), { contract: [[1], [1]] }), out),
  linearGradWeight: (b, [x, gradient]) => b.dot(b.rows(x), b.rows(gradient), { contract: [[0], [0]] }),
  sumRows: (b, [x]) => sumRows(b, x),

  layerNorm: (b, [x, gain, bias], { eps }) =>
    b.add(b.mul(normalized(b, x, eps).unit, b.atLast(gain, x.shape)), b.atLast(bias, x.shape)),
  layerNormGrad: (b, [gradient, x, gain], { eps }) => {
    const norm = normalized(b, b.again(x), eps);
    const dx = normalizedGradient(b, b.mul(gradient, b.atLast(gain, x.shape)), norm);
    return [dx, sumRows(b, b.mul(gradient, norm.unit)), sumRows(b, gradient)];
  },
  normalize: (b, [x], { eps }) => normalized(b, x, eps).unit,
  normalizeGrad: (b, [gradient, x], { eps }) => normalizedGradient(b, gradient, normalized(b, b.again(x), eps)),

  gelu: (b, [x]) => {
    const half = b.times(x, 0.5);
    return b.add(half, b.mul(half, b.erf(b.times(x, Math.SQRT1_2))));
  },
  // ½(1 + erf(x/√2)) + x · e^(−x²/2) / √(2π)
  geluGrad: (b, [gradient, x]) => {
    const bell = b.times(b.unary("exponential", b.times(b.mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    const below = b.times(b.add(b.erf(b.times(x, Math.SQRT1_2)), b.scalar(1)), 0.5);
    return b.mul(gradient, b.add(below, b.mul(x, bell)));
  },
};
