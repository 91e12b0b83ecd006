/**
 * How the store lays tensors out in memory. Large tensors stand alone; small ones of the same root (weights, m, v,
 * target) lie one after the other in one buffer, so that their update is a few nodes instead of thousands.
 */
import type { TensorSpecs } from "../engine";

/** Tensors of more elements stand alone. Below this the cost of a node outweighs that of its numbers. */
export const SMALL_ELEMENTS = 16_384;

export interface Piece {
  readonly path: string;
  readonly shape: readonly number[];
  /** In elements, from the start of the segment. */
  readonly offset: number;
  readonly size: number;
}

export interface Segment {
  readonly name: string;
  readonly pieces: readonly Piece[];
  readonly size: number;
  /** [size], or the shape of the only tensor. */
  readonly shape: readonly number[];
}

export interface Layout {
  readonly segments: readonly Segment[];
  /** Where the tensor of a path lies. */
  find(path: string): { readonly segment: Segment; readonly piece: Piece };
}

export function layoutOf(specs: TensorSpecs, smallElements = SMALL_ELEMENTS): Layout {
  const groups = new Map<string, { path: string; shape: number[]; size: number }[]>();
  for (const [path, spec] of specs) {
    if (spec.dtype !== "f32") throw new Error(`internal: the state ${path} is not f32`);
    const shape = spec.shape.map((size) => {
      if (typeof size !== "number") throw new Error(`internal: the state ${path} has no fixed shape`);
      return size;
    });
    const size = shape.reduce((a, b) => a * b, 1);
    // Vectors and matrices apart: AdamW decays the one and not the other.
    const kind = shape.length > 1 ? "matrices" : "vectors";
    const key = size > smallElements ? path : `${path.split(".")[0]}|${kind}`;
    const group = groups.get(key) ?? [];
    group.push({ path, shape, size });
    groups.set(key, group);
  }
  const places = new Map<string, { segment: Segment; piece: Piece }>();
  const segments = [...groups].map(([name, tensors]) => {
    let offset = 0;
    const pieces = tensors.map((tensor): Piece => {
      const piece = { ...tensor, offset };
      offset += tensor.size;
      return piece;
    });
    const only = pieces.length === 1 ? pieces[0] : undefined;
    const segment: Segment = { name, pieces, size: offset, shape: only?.shape ?? [offset] };
    for (const piece of pieces) places.set(piece.path, { segment, piece });
    return segment;
  });
  return {
    segments,
    find: (path) => {
      const place = places.get(path);
      if (place === undefined) throw new Error(`internal: the store has no tensor ${path}`);
      return place;
    },
  };
}
