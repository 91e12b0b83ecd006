/** ‖found − exact‖ / ‖exact‖ over all numbers. */
export function relativeError(pairs: Iterable<readonly [found: ArrayLike<number>, exact: ArrayLike<number>]>): number {
  let error = 0;
  let whole = 0;
  for (const [found, exact] of pairs) {
    for (let i = 0; i < exact.length; i++) {
      error += ((found[i] ?? Number.NaN) - (exact[i] ?? Number.NaN)) ** 2;
      whole += (exact[i] ?? Number.NaN) ** 2;
    }
  }
  return Math.sqrt(error / whole);
}
