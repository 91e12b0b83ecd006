/**
 * Eigenvalues of a symmetric matrix: Householder reflections to tridiagonal form, then QL with implicit shifts (Golub and
 * Van Loan, Matrix Computations, §8.3). Vectors are not computed, which makes it several times cheaper than a library's
 * full decomposition.
 */
import { dot, type Matrix } from "./matrix";

/** In descending order. `a` must be symmetric; only its lower half is read. */
export function symmetricEigenvalues(a: Matrix): Float64Array {
  const { diagonal, offDiagonal } = tridiagonal(a);
  return implicitQl(diagonal, offDiagonal).sort((x, y) => y - x);
}

/** `offDiagonal[i]` couples i and i + 1. */
function tridiagonal(a: Matrix): { diagonal: Float64Array; offDiagonal: Float64Array } {
  const n = a.rows;
  const m = a.values.slice();
  const diagonal = new Float64Array(n);
  const offDiagonal = new Float64Array(n);
  const v = new Float64Array(n);
  const w = new Float64Array(n);
  // Row i is reduced to its last two entries, from the bottom up, so what is left is the leading i×i block.
  for (let i = n - 1; i > 0; i--) {
    const row = i * n;
    diagonal[i] = m[row + i] ?? 0;
    v.set(m.subarray(row, row + i));
    const norm = Math.sqrt(dot(v, 0, v, 0, i));
    const last = v[i - 1] ?? 0;
    const alpha = last > 0 ? -norm : norm;
    offDiagonal[i - 1] = alpha;
    v[i - 1] = last - alpha;
    const square = dot(v, 0, v, 0, i);
    if (square === 0) continue;
    // B' = B − v·wᵀ − w·vᵀ with p = 2·B·v/vᵀv and w = p − v·(pᵀv)/vᵀv. Only the lower half of B is kept.
    w.fill(0, 0, i);
    for (let r = 0; r < i; r++) {
      const at = r * n;
      const vr = v[r] ?? 0;
      w[r] = (w[r] ?? 0) + dot(m, at, v, 0, r + 1);
      for (let c = 0; c < r; c++) w[c] = (w[c] ?? 0) + (m[at + c] ?? 0) * vr;
    }
    for (let r = 0; r < i; r++) w[r] = (2 * (w[r] ?? 0)) / square;
    const half = dot(w, 0, v, 0, i) / square;
    for (let r = 0; r < i; r++) w[r] = (w[r] ?? 0) - half * (v[r] ?? 0);
    for (let r = 0; r < i; r++) {
      const at = r * n;
      const vr = v[r] ?? 0;
      const wr = w[r] ?? 0;
      for (let c = 0; c <= r; c++) m[at + c] = (m[at + c] ?? 0) - vr * (w[c] ?? 0) - wr * (v[c] ?? 0);
    }
  }
  diagonal[0] = m[0] ?? 0;
  return { diagonal, offDiagonal };
}

/** Rotations with a shift near the smallest eigenvalue that is left make one coupling after the other vanish. */
function implicitQl(d: Float64Array, e: Float64Array): Float64Array {
  const n = d.length;
  for (let l = 0; l < n; l++) {
    for (let round = 0; ; round++) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m] ?? 0) > Number.EPSILON * (Math.abs(d[m] ?? 0) + Math.abs(d[m + 1] ?? 0))) m++;
      if (m === l) break;
      if (round === 60) throw new Error("internal: the eigenvalues of a symmetric matrix did not converge");
      chase(d, e, l, m);
    }
  }
  return d;
}

/** One QL step on the block l … m: a bulge runs from its end to its beginning. */
function chase(d: Float64Array, e: Float64Array, l: number, m: number): void {
  const dl = d[l] ?? 0;
  const el = e[l] ?? 0;
  const ratio = ((d[l + 1] ?? 0) - dl) / (2 * el);
  const root = Math.hypot(ratio, 1);
  let g = (d[m] ?? 0) - dl + el / (ratio + (ratio < 0 ? -root : root));
  let s = 1;
  let c = 1;
  let p = 0;
  for (let i = m - 1; i >= l; i--) {
    const f = s * (e[i] ?? 0);
    const b = c * (e[i] ?? 0);
    const r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1] = (d[i + 1] ?? 0) - p;
      e[m] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = (d[i + 1] ?? 0) - p;
    const q = ((d[i] ?? 0) - g) * s + 2 * c * b;
    p = s * q;
    d[i + 1] = g + p;
    g = c * q - b;
  }
  d[l] = (d[l] ?? 0) - p;
  e[l] = g;
  e[m] = 0;
}
