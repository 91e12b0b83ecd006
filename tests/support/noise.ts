/** Images of noise, as the step takes them. */

/** Normal numbers as the pixels that become about these when they are normalized; what lies beyond 0 and 255 is cut. */
export function pixelsOf(normal: Float32Array): Uint8Array {
  return Uint8Array.from(normal, (value) => Math.min(255, Math.max(0, Math.round(255 * (0.225 * value + 0.45)))));
}
