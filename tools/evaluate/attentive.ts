/**
 * An attentive probe: one learnt query attends over the frozen features of an image's patches, and a linear head classifies what
 * it gathers (AIM, arXiv 2401.08541; V-JEPA, arXiv 2404.08471, has a residual block behind it). With D the width and H heads of
 * width E = D / H:
 *
 *   weights of head h over the patches   a_h = softmax_n(q_h · K_h x_n / √E)
 *   gathered                             o_h = Σ_n a_hn · V_h x_n          o = [o_1 … o_H]
 *   logits                               W o + b
 *
 * The query is the same for every image, so q_h · K_h x_n = u_h · x_n with u_h = K_hᵀ q_h, and Σ_n a_hn · V_h x_n = V_h (Σ_n a_hn · x_n):
 * no key and no value of a patch is ever computed. A patch costs 2·H·D multiply-adds in the forward pass, not 2·D².
 */
import { softmaxLoss } from "../../runtime/evaluate/linear-probe";
import { type Matrix, matrix, productNT, transposed } from "../../runtime/evaluate/matrix";

/** Also the shape of its gradient. */
export interface AttentiveProbe {
  readonly classes: number;
  /** [D]. */
  readonly query: Float64Array;
  /** [D, D], a row for each number that comes out; rows h·E … are those of head h. */
  readonly key: Matrix;
  readonly value: Matrix;
  /** [classes, D]; rows beyond `classes` are padding and stay zero, since products work on four rows at once. */
  readonly head: Matrix;
  readonly bias: Float64Array;
}

export const paddedClasses = (classes: number): number => Math.ceil(classes / 4) * 4;

export function emptyProbe(classes: number, width: number): AttentiveProbe {
  const padded = paddedClasses(classes);
  return {
    classes,
    query: new Float64Array(width),
    key: matrix(width, width),
    value: matrix(width, width),
    head: matrix(padded, width),
    bias: new Float64Array(padded),
  };
}

/** Its parameters in one order; those of the second list decay. */
export const parametersOf = ({ query, key, value, head, bias }: AttentiveProbe) => ({
  plain: [query, bias],
  decaying: [key.values, value.values, head.values],
});

export interface PatchBatch {
  readonly images: number;
  /** Patches of an image, [patches, D]. */
  readonly patches: (image: number) => Matrix;
}

/** What the probes gather from every image: [images, D] of each probe and head, before V. */
interface Gathered {
  readonly pooled: readonly (readonly Matrix[])[];
  /** [probes · heads, patches] of each image. */
  readonly weights: readonly Matrix[];
}

/** Logits without the bias of some images, [images, padded classes] of each probe. */
export function logitsOf(probes: readonly AttentiveProbe[], heads: number, batch: PatchBatch): readonly Matrix[] {
  const { pooled } = gathered(probes, heads, batch);
  return probes.map((probe, p) => outputOf(probe, pooled[p] ?? []).logits);
}

/** Mean cross-entropy over the images and its gradient, of probes that all see the same images. */
export function lossAndGradient(
  probes: readonly AttentiveProbe[],
  heads: number,
  batch: PatchBatch,
  labels: (probe: number) => Int32Array,
): readonly { readonly loss: number; readonly gradient: AttentiveProbe }[] {
  const { pooled, weights } = gathered(probes, heads, batch);
  const found = probes.map((probe, p) => behindAttention(probe, pooled[p] ?? [], labels(p)));
  const width = probes[0]?.query.length ?? 0;
  const rows = probes.length * heads;
  const keys = matrix(rows, width);
  const sum = matrix(rows, width);
  for (let image = 0; image < batch.images; image++) {
    const x = batch.patches(image);
    const a = weights[image];
    if (a === undefined) throw new Error("internal: an image without weights of attention");
    const given = matrix(rows, width);
    for (const [p, { pooledGradient }] of found.entries()) {
      for (const [h, { values }] of pooledGradient.entries()) {
        given.values.set(values.subarray(image * width, (image + 1) * width), (p * heads + h) * width);
      }
    }
    const slopes = matrix(rows, x.rows);
    productNT(given, x, slopes);
    softmaxBackward(a, slopes);
    productNT(slopes, transposed(x), sum);
    for (let i = 0; i < keys.values.length; i++) keys.values[i] = (keys.values[i] ?? 0) + (sum.values[i] ?? 0);
  }
  return found.map(({ loss, gradient }, p) => {
    queryAndKey(probes[p] ?? gradient, gradient, keys.values.subarray(p * heads * width, (p + 1) * heads * width));
    return { loss, gradient };
  });
}

/** u_h = K_hᵀ q_h / √E of every probe: [probes · heads, D]. */
function queriesOfPatches(probes: readonly AttentiveProbe[], heads: number): Matrix {
  const width = probes[0]?.query.length ?? 0;
  const out = matrix(probes.length * heads, width);
  const scale = 1 / Math.sqrt(width / heads);
  for (const [p, { query, key }] of probes.entries()) {
    for (let row = 0; row < width; row++) {
      const at = (p * heads + Math.floor((row * heads) / width)) * width;
      const q = scale * (query[row] ?? 0);
      for (let c = 0; c < width; c++) {
        out.values[at + c] = (out.values[at + c] ?? 0) + q * (key.values[row * width + c] ?? 0);
      }
    }
  }
  return out;
}

function gathered(probes: readonly AttentiveProbe[], heads: number, batch: PatchBatch): Gathered {
  const queries = queriesOfPatches(probes, heads);
  const { rows, columns: width } = queries;
  const pooled = probes.map(() => Array.from({ length: heads }, () => matrix(batch.images, width)));
  const weights: Matrix[] = [];
  const sum = matrix(rows, width);
  for (let image = 0; image < batch.images; image++) {
    const x = batch.patches(image);
    const a = matrix(rows, x.rows);
    productNT(queries, x, a);
    softmaxRows(a);
    weights.push(a);
    productNT(a, transposed(x), sum);
    for (const [p, ofHeads] of pooled.entries()) {
      for (const [h, { values }] of ofHeads.entries()) {
        const from = (p * heads + h) * width;
        values.set(sum.values.subarray(from, from + width), image * width);
      }
    }
  }
  return { pooled, weights };
}

/** o of every image, and its logits without the bias. */
function outputOf({ value, head }: AttentiveProbe, pooled: readonly Matrix[]): { out: Matrix; logits: Matrix } {
  const width = value.columns;
  const images = pooled[0]?.rows ?? 0;
  const out = matrix(images, width);
  for (const [h, ofHead] of pooled.entries()) {
    const part = matrix(images, width / pooled.length);
    productNT(ofHead, headRows(value, h, pooled.length), part);
    writeColumns(part, out, h * part.columns);
  }
  const logits = matrix(images, head.rows);
  productNT(out, head, logits);
  return { out, logits };
}

/** Loss, gradient of V, W and b, and that of what every head has pooled. */
function behindAttention(
  probe: AttentiveProbe,
  pooled: readonly Matrix[],
  labels: Int32Array,
): { readonly loss: number; readonly gradient: AttentiveProbe; readonly pooledGradient: readonly Matrix[] } {
  const { classes, value, head, bias } = probe;
  const width = value.columns;
  const { out, logits } = outputOf(probe, pooled);
  const gradient = emptyProbe(classes, width);
  const residuals = matrix(head.rows, out.rows);
  const loss = softmaxLoss(logits, bias, labels, classes, residuals);
  productNT(residuals, transposed(out), gradient.head);
  for (let k = 0; k < classes; k++) {
    for (let i = 0; i < out.rows; i++) {
      gradient.bias[k] = (gradient.bias[k] ?? 0) + (residuals.values[k * out.rows + i] ?? 0);
    }
  }
  const outGradient = matrix(out.rows, width);
  productNT(transposed(residuals), transposed(head), outGradient);
  const pooledGradient = pooled.map((ofHead, h) => {
    const part = columnsOf(outGradient, (h * width) / pooled.length, width / pooled.length);
    productNT(transposed(part), transposed(ofHead), headRows(gradient.value, h, pooled.length));
    const back = matrix(out.rows, width);
    productNT(part, transposed(headRows(value, h, pooled.length)), back);
    return back;
  });
  return { loss, gradient, pooledGradient };
}

/** From the gradient of u_h, [heads, D], to those of query and key. */
function queryAndKey({ query, key }: AttentiveProbe, gradient: AttentiveProbe, ofQueries: Float64Array): void {
  const width = query.length;
  const heads = ofQueries.length / width;
  const scale = 1 / Math.sqrt(width / heads);
  for (let row = 0; row < width; row++) {
    const at = Math.floor((row * heads) / width) * width;
    let slope = 0;
    for (let c = 0; c < width; c++) {
      const u = scale * (ofQueries[at + c] ?? 0);
      slope += u * (key.values[row * width + c] ?? 0);
      gradient.key.values[row * width + c] = u * (query[row] ?? 0);
    }
    gradient.query[row] = slope;
  }
}

/** The rows of a matrix that belong to a head: a view of them. */
function headRows({ rows, columns, values }: Matrix, head: number, heads: number): Matrix {
  const size = rows / heads;
  return { rows: size, columns, values: values.subarray(head * size * columns, (head + 1) * size * columns) };
}

function columnsOf({ rows, columns, values }: Matrix, from: number, count: number): Matrix {
  const out = matrix(rows, count);
  for (let r = 0; r < rows; r++) {
    out.values.set(values.subarray(r * columns + from, r * columns + from + count), r * count);
  }
  return out;
}

function writeColumns(part: Matrix, out: Matrix, from: number): void {
  for (let r = 0; r < part.rows; r++) {
    out.values.set(part.values.subarray(r * part.columns, (r + 1) * part.columns), r * out.columns + from);
  }
}

function softmaxRows({ rows, columns, values }: Matrix): void {
  for (let r = 0; r < rows; r++) {
    const row = values.subarray(r * columns, (r + 1) * columns);
    let top = Number.NEGATIVE_INFINITY;
    for (const value of row) top = Math.max(top, value);
    let sum = 0;
    for (let c = 0; c < columns; c++) {
      const value = Math.exp((row[c] ?? 0) - top);
      row[c] = value;
      sum += value;
    }
    for (let c = 0; c < columns; c++) row[c] = (row[c] ?? 0) / sum;
  }
}

/** Slopes of what a softmax gave become those of what it was given, in place. */
function softmaxBackward(a: Matrix, slopes: Matrix): void {
  const { rows, columns } = a;
  for (let r = 0; r < rows; r++) {
    let mean = 0;
    for (let i = r * columns; i < (r + 1) * columns; i++) mean += (a.values[i] ?? 0) * (slopes.values[i] ?? 0);
    for (let i = r * columns; i < (r + 1) * columns; i++) {
      slopes.values[i] = (a.values[i] ?? 0) * ((slopes.values[i] ?? 0) - mean);
    }
  }
}
