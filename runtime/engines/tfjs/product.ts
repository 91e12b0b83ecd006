/**
 * Matrix products in the form that each backend is fast at. The wasm backend hands [1, m, k]·[1, k, n] to XNNPACK and
 * loops over everything else, ten times slower, so its operands are transposed first; the others take them as they are.
 */
import type { Tensor } from "./core";
import type { Kernels } from "./kernels";
import { MULTIPLY_STACKS } from "./own-kernels";

export interface Transposed {
  readonly a?: boolean;
  readonly b?: boolean;
}

/** a · b of matrices, either one transposed; plus a bias in every row. */
export function product(k: Kernels, a: Tensor, b: Tensor, { a: ta = false, b: tb = false }: Transposed = {}): Tensor {
  const rows = a.shape[ta ? 1 : 0] ?? 1;
  const columns = b.shape[tb ? 0 : 1] ?? 1;
  return k.reshape(productOfStacks(k, stacked(k, a), stacked(k, b), { a: ta, b: tb }), [rows, columns]);
}

export function productWithBias(k: Kernels, a: Tensor, b: Tensor, bias: Tensor): Tensor {
  if (k.backend !== "wasm") return k.add(product(k, a, b), bias);
  // XNNPACK keeps a prepared copy of the weight as long as weight and bias live; a bias of its own ends that at once. It
  // also has to be a vector from the beginning, not a view of something else.
  const own = k.run("Identity", { x: bias });
  const attrs = { transposeA: false, transposeB: false, activation: "linear", leakyreluAlpha: 0 };
  const made = k.run("_FusedMatMul", { a: stacked(k, a), b: stacked(k, b), bias: own }, attrs);
  return k.reshape(made, [a.shape[0] ?? 1, b.shape[1] ?? 1]);
}

/** a[i] · b[i] of [n, rows, columns], either one transposed. */
export function productOfStacks(
  k: Kernels,
  a: Tensor,
  b: Tensor,
  { a: ta = false, b: tb = false }: Transposed = {},
): Tensor {
  if (k.backend === "wasm") {
    const left = ta ? k.transpose(a, [0, 2, 1]) : a;
    const right = tb ? k.transpose(b, [0, 2, 1]) : b;
    if ((a.shape[0] ?? 1) > 1) return k.run(MULTIPLY_STACKS, { a: left, b: right });
    return k.run("BatchMatMul", { a: left, b: right }, { transposeA: false, transposeB: false });
  }
  return k.run("BatchMatMul", { a, b }, { transposeA: ta, transposeB: tb });
}

function stacked(k: Kernels, x: Tensor): Tensor {
  return k.reshape(x, [1, ...x.shape]);
}

/** Sum over the first axis of [rows, width], as a product with ones: kernels that sum transpose first, and are slow. */
export function sumFirst(k: Kernels, x: Tensor): Tensor {
  if (k.backend === "tensorflow") return k.run("Sum", { x }, { axis: [0], keepDims: false });
  const rows = x.shape[0] ?? 1;
  const ones = k.constant(`ones ${rows}`, [1, rows], "f32", () => new Float32Array(rows).fill(1));
  return k.reshape(product(k, ones, x), [x.shape[1] ?? 1]);
}
