/**
 * Sizes of blocks: from uniform numbers to height and width (reference.md §1.3), and every size that can come out with
 * its exact probability.
 */

/** A range [low, high] of a uniform draw. */
export type Range = readonly [low: number, high: number];

export interface Grid {
  /** Patches. */
  readonly height: number;
  readonly width: number;
}

export interface Size {
  readonly height: number;
  readonly width: number;
}

/** Patches of a block. */
export const areaOf = ({ height, width }: Size): number => height * width;

export interface WeightedSize extends Size {
  /** Exact share of the draws with this size. */
  readonly probability: number;
}

export interface BlockDraw {
  readonly grid: Grid;
  /** Area as a share of the grid. */
  readonly scale: Range;
  /** Height over width. */
  readonly aspect: Range;
  /** Whether a block may be as high or as wide as the grid; the reference keeps it one smaller. */
  readonly maySpan: boolean;
}

/** A uniform number of the reference has 24 bits (reference.md §1.7). */
const UNIFORMS = 2 ** 24;

/** Patches of a block before rounding, at the uniform number `u` (the reference's `max_keep`). */
export function blockArea({ grid, scale: [low, high] }: Pick<BlockDraw, "grid" | "scale">, u: number): number {
  return Math.trunc(grid.height * grid.width * (low + u * (high - low)));
}

/** The block of this many patches at the uniform number `u` for the aspect ratio. */
export function blockShape({ grid, aspect: [low, high], maySpan }: BlockDraw, area: number, u: number): Size {
  const ratio = low + u * (high - low);
  const margin = maySpan ? 0 : 1;
  return {
    height: Math.min(roundHalfEven(Math.sqrt(area * ratio)), grid.height - margin),
    width: Math.min(roundHalfEven(Math.sqrt(area / ratio)), grid.width - margin),
  };
}

/** The size of the reference: one uniform number decides both scale and aspect ratio. */
export function sharedSize(draw: BlockDraw, u: number): Size {
  return blockShape(draw, blockArea(draw, u), u);
}

/**
 * Every size with its probability, widest blocks last. `shared`: one 24-bit uniform number for scale and aspect ratio,
 * as in the reference; otherwise each has its own.
 */
export function enumerateSizes(draw: BlockDraw, { shared }: { readonly shared: boolean }): WeightedSize[] {
  const weights = new Map<string, { readonly size: Size; weight: number }>();
  const add = (size: Size, weight: number): void => {
    const key = `${size.height}x${size.width}`;
    const known = weights.get(key);
    if (known === undefined) weights.set(key, { size, weight });
    else known.weight += weight;
  };
  for (const { from, to, value: area } of runs(0, UNIFORMS, (i) => blockArea(draw, i / UNIFORMS))) {
    const [first, last] = shared ? [from, to] : [0, UNIFORMS];
    const weight = (shared ? 1 : (to - from) / UNIFORMS) / UNIFORMS;
    // Within one area both sides are monotone in u, so their runs are found by bisection.
    for (const rows of runs(first, last, (i) => blockShape(draw, area, i / UNIFORMS).height)) {
      for (const run of runs(rows.from, rows.to, (i) => blockShape(draw, area, i / UNIFORMS).width)) {
        add({ height: rows.value, width: run.value }, (run.to - run.from) * weight);
      }
    }
  }
  return [...weights.values()]
    .map(({ size, weight }) => ({ ...size, probability: weight }))
    .sort((a, b) => a.height * a.width - b.height * b.width || a.height - b.height);
}

/** The size whose share of [0, 1) holds u. */
export function pickSize<S extends WeightedSize>(sizes: readonly S[], u: number): S {
  let rest = u;
  for (const size of sizes) {
    rest -= size.probability;
    if (rest < 0) return size;
  }
  // Rounding may leave a sliver at the end.
  const last = sizes.at(-1);
  if (last === undefined) throw new Error("internal: a mask plan without block sizes");
  return last;
}

interface Run {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly value: number;
}

/** The runs of equal values of a monotone function of the whole numbers from … to − 1. */
function* runs(from: number, to: number, value: (i: number) => number): Generator<Run> {
  let start = from;
  while (start < to) {
    const here = value(start);
    let inside = start;
    let outside = to;
    while (outside - inside > 1) {
      const middle = Math.floor((inside + outside) / 2);
      if (value(middle) === here) inside = middle;
      else outside = middle;
    }
    yield { from: start, to: outside, value: here };
    start = outside;
  }
}

/** Python's round: halves go to the even neighbour. */
export function roundHalfEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest !== 0.5) return rest < 0.5 ? down : down + 1;
  return down % 2 === 0 ? down : down + 1;
}
