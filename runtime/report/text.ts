/** Numbers as a person reads them. */

/** 0.4 s, 42 s, 3 min 05 s, 2 h 07 min, 3 d 04 h */
export function durationText(ms: number): string {
  if (!Number.isFinite(ms)) return "?";
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`;
}

/** 1234 → 1230, 56.78 → 56.8, 0.01234 → 0.0123 */
export function rateText(perSecond: number): string {
  if (!Number.isFinite(perSecond)) return "?";
  return String(Number(perSecond.toPrecision(3)));
}

/** 0.001 → 1.00e-3 */
export function lrText(lr: number): string {
  return lr.toExponential(2);
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
