/** Dense products in float64, blocked for the caches of one core: about 2.5·10⁹ multiply-adds a second. */

/** Row-major: value (r, c) is values[r·columns + c]. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

/** A product in float64 is added up over this many columns at a time: 64 rows of them are 128 KiB. */
const blockColumns = 256;
const blockRows = 64;

export function matrix(rows: number, columns: number): Matrix {
  return { rows, columns, values: new Float64Array(rows * columns) };
}

export function transposed({ rows, columns, values }: Matrix): Matrix {
  const out = new Float64Array(values.length);
  for (let top = 0; top < rows; top += 32) {
    const bottom = Math.min(top + 32, rows);
    for (let c = 0; c < columns; c++) {
      for (let r = top; r < bottom; r++) out[c * rows + r] = values[r * columns + c] ?? 0;
    }
  }
  return { rows: columns, columns: rows, values: out };
}

/** out = a · bᵀ: [m, k] · [n, k]ᵀ → [m, n]. `out` may have more rows. */
export function productNT(a: Matrix, b: Matrix, out: Matrix): void {
  if (a.columns !== b.columns || out.rows < a.rows || out.columns !== b.rows) {
    throw new Error(`internal: [${a.rows}, ${a.columns}] times the transpose of [${b.rows}, ${b.columns}]`);
  }
  out.values.fill(0);
  for (let from = 0; from < a.columns; from += blockColumns) {
    const to = Math.min(from + blockColumns, a.columns);
    for (let top = 0; top < b.rows; top += blockRows) {
      const bottom = Math.min(top + blockRows, b.rows);
      for (let i = 0; i < a.rows; i += 4) addTiles(a, i, b, top, bottom, from, to, out);
    }
  }
}

/** a · aᵀ of [n, k] → [n, n]; only one half is computed. */
export function gramOf(a: Matrix): Matrix {
  const out = matrix(a.rows, a.rows);
  for (let from = 0; from < a.columns; from += blockColumns) {
    const to = Math.min(from + blockColumns, a.columns);
    for (let top = 0; top < a.rows; top += blockRows) {
      const bottom = Math.min(top + blockRows, a.rows);
      for (let i = top; i < a.rows; i += 4) addTiles(a, i, a, top, bottom, from, to, out);
    }
  }
  const { values } = out;
  for (let r = 0; r < a.rows; r++) {
    for (let c = 0; c < r; c++) values[c * a.rows + r] = values[r * a.rows + c] ?? 0;
  }
  return out;
}

/** Rows i … i+3 of `a` times rows top … bottom of `b`, over the columns from … to, added to `out`. */
function addTiles(
  a: Matrix,
  i: number,
  b: Matrix,
  top: number,
  bottom: number,
  from: number,
  to: number,
  out: Matrix,
): void {
  let j = top;
  if (i + 4 <= a.rows) {
    for (; j + 4 <= bottom; j += 4) addTile(a.values, i, b.values, j, a.columns, from, to, out.values, out.columns);
  }
  const end = Math.min(i + 4, a.rows);
  for (; j < bottom; j++) {
    for (let r = i; r < end; r++) {
      const at = r * out.columns + j;
      const sum = dot(a.values, r * a.columns + from, b.values, j * b.columns + from, to - from);
      out.values[at] = (out.values[at] ?? 0) + sum;
    }
  }
}

/** 4×4 dot products at once: 8 loads for 16 multiply-adds. */
function addTile(
  a: Float64Array,
  i: number,
  b: Float64Array,
  j: number,
  stride: number,
  from: number,
  to: number,
  out: Float64Array,
  outStride: number,
): void {
  let s00 = 0;
  let s01 = 0;
  let s02 = 0;
  let s03 = 0;
  let s10 = 0;
  let s11 = 0;
  let s12 = 0;
  let s13 = 0;
  let s20 = 0;
  let s21 = 0;
  let s22 = 0;
  let s23 = 0;
  let s30 = 0;
  let s31 = 0;
  let s32 = 0;
  let s33 = 0;
  const a0 = i * stride;
  const a1 = a0 + stride;
  const a2 = a1 + stride;
  const a3 = a2 + stride;
  const b0 = j * stride;
  const b1 = b0 + stride;
  const b2 = b1 + stride;
  const b3 = b2 + stride;
  for (let p = from; p < to; p++) {
    const x0 = a[a0 + p] ?? 0;
    const x1 = a[a1 + p] ?? 0;
    const x2 = a[a2 + p] ?? 0;
    const x3 = a[a3 + p] ?? 0;
    const y0 = b[b0 + p] ?? 0;
    const y1 = b[b1 + p] ?? 0;
    const y2 = b[b2 + p] ?? 0;
    const y3 = b[b3 + p] ?? 0;
    s00 += x0 * y0;
    s01 += x0 * y1;
    s02 += x0 * y2;
    s03 += x0 * y3;
    s10 += x1 * y0;
    s11 += x1 * y1;
    s12 += x1 * y2;
    s13 += x1 * y3;
    s20 += x2 * y0;
    s21 += x2 * y1;
    s22 += x2 * y2;
    s23 += x2 * y3;
    s30 += x3 * y0;
    s31 += x3 * y1;
    s32 += x3 * y2;
    s33 += x3 * y3;
  }
  const o0 = i * outStride + j;
  const o1 = o0 + outStride;
  const o2 = o1 + outStride;
  const o3 = o2 + outStride;
  addFour(out, o0, s00, s01, s02, s03);
  addFour(out, o1, s10, s11, s12, s13);
  addFour(out, o2, s20, s21, s22, s23);
  addFour(out, o3, s30, s31, s32, s33);
}

function addFour(out: Float64Array, at: number, a: number, b: number, c: number, d: number): void {
  out[at] = (out[at] ?? 0) + a;
  out[at + 1] = (out[at + 1] ?? 0) + b;
  out[at + 2] = (out[at + 2] ?? 0) + c;
  out[at + 3] = (out[at + 3] ?? 0) + d;
}

/** Σ a[aFrom + i] · b[bFrom + i] over `count` values, in four running sums. */
export function dot(a: Float64Array, aFrom: number, b: Float64Array, bFrom: number, count: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let p = 0;
  for (; p + 4 <= count; p += 4) {
    s0 += (a[aFrom + p] ?? 0) * (b[bFrom + p] ?? 0);
    s1 += (a[aFrom + p + 1] ?? 0) * (b[bFrom + p + 1] ?? 0);
    s2 += (a[aFrom + p + 2] ?? 0) * (b[bFrom + p + 2] ?? 0);
    s3 += (a[aFrom + p + 3] ?? 0) * (b[bFrom + p + 3] ?? 0);
  }
  for (; p < count; p++) s0 += (a[aFrom + p] ?? 0) * (b[bFrom + p] ?? 0);
  return s0 + s1 + (s2 + s3);
}

/**
 * Lower triangle L with L · Lᵀ = a + shift · 1, for a symmetric a without negative eigenvalues and a positive shift.
 * Throws where the matrix is not positive definite.
 */
export function cholesky(a: Matrix, shift: number): Matrix {
  const n = a.rows;
  const out = matrix(n, n);
  const l = out.values;
  for (let r = 0; r < n; r++) {
    for (let c = 0; c < r; c++) {
      const rest = (a.values[r * n + c] ?? 0) - dot(l, r * n, l, c * n, c);
      l[r * n + c] = rest / (l[c * n + c] ?? 1);
    }
    const square = (a.values[r * n + r] ?? 0) + shift - dot(l, r * n, l, r * n, r);
    if (!(square > 0)) throw new Error("internal: the matrix of a Cholesky decomposition is not positive definite");
    l[r * n + r] = Math.sqrt(square);
  }
  return out;
}

/** Solves L · Lᵀ · x = b in place, for the n values of `b` that begin at `from`. */
export function choleskySolve(l: Matrix, b: Float64Array, from: number): void {
  const n = l.rows;
  const values = l.values;
  for (let r = 0; r < n; r++) {
    b[from + r] = ((b[from + r] ?? 0) - dot(values, r * n, b, from, r)) / (values[r * n + r] ?? 1);
  }
  for (let r = n - 1; r >= 0; r--) {
    const x = (b[from + r] ?? 0) / (values[r * n + r] ?? 1);
    b[from + r] = x;
    for (let c = 0; c < r; c++) b[from + c] = (b[from + c] ?? 0) - x * (values[r * n + c] ?? 0);
  }
}
