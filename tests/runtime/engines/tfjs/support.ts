/** Greatest difference relative to the greatest number. */
export function errorOf(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  let error = 0;
  let most = 1e-30;
  for (let i = 0; i < wanted.length; i++) {
    error = Math.max(error, Math.abs((found[i] ?? Number.NaN) - (wanted[i] ?? Number.NaN)));
    most = Math.max(most, Math.abs(wanted[i] ?? 0));
  }
  return error / most;
}
