/** Numbers of a step that are no finite numbers. */

export interface NotFinite {
  /** As a sentence begins. */
  readonly what: string;
  readonly value: number;
}

/** What of an outcome is not finite. */
export function problemOf(of: { readonly loss: number; readonly gradientNorm: number | null }): NotFinite | null {
  const { loss, gradientNorm } = of;
  if (!Number.isFinite(loss)) return { what: "The loss", value: loss };
  if (gradientNorm !== null && !Number.isFinite(gradientNorm)) {
    return { what: "The norm of the gradient", value: gradientNorm };
  }
  return null;
}
