/** The six sizes of vision transformer that the released code names (reference.md §3). */

export interface EncoderShape {
  /** Width of a token. */
  readonly dim: number;
  /** Transformer blocks. */
  readonly depth: number;
  readonly heads: number;
  /** Hidden width of the MLP over `dim`. */
  readonly mlpRatio: number;
}

export const encoderSizes = {
  tiny: { dim: 192, depth: 12, heads: 3, mlpRatio: 4 },
  small: { dim: 384, depth: 12, heads: 6, mlpRatio: 4 },
  base: { dim: 768, depth: 12, heads: 12, mlpRatio: 4 },
  large: { dim: 1024, depth: 24, heads: 16, mlpRatio: 4 },
  huge: { dim: 1280, depth: 32, heads: 16, mlpRatio: 4 },
  giant: { dim: 1408, depth: 40, heads: 16, mlpRatio: 48 / 11 },
} as const satisfies { readonly [name: string]: EncoderShape };

export type EncoderSize = keyof typeof encoderSizes;

/** Size of an encoder that gives neither a size nor numbers: that of the released in1k_vith14_ep300. */
export const defaultSize: EncoderSize = "huge";
/** Ratio of an encoder that is given by its numbers. */
export const defaultMlpRatio = 4;

/** The official name of an encoder of this shape, or null. */
export function sizeName(shape: EncoderShape): EncoderSize | null {
  for (const [name, size] of Object.entries(encoderSizes)) {
    const same =
      size.dim === shape.dim &&
      size.depth === shape.depth &&
      size.heads === shape.heads &&
      size.mlpRatio === shape.mlpRatio;
    if (same) return name as EncoderSize; // a key of the table: Object.entries widens it
  }
  return null;
}

/** Hidden width of an MLP, dim × mlpRatio rounded down as the reference does. */
export function hiddenWidth(shape: { readonly dim: number; readonly mlpRatio: number }): number {
  return Math.floor(shape.dim * shape.mlpRatio);
}
