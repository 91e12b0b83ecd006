/** Which patches of a grid are covered by blocks: one bit per patch, so that unions and counts are a few instructions. */
import type { Grid, Size } from "./blocks";

/** Where the upper left patch of a block lies. */
export interface Place {
  readonly top: number;
  readonly left: number;
}

const BITS = 32;

export class Cover {
  readonly #words: Int32Array;
  readonly #wordsPerRow: number;

  constructor(grid: Grid) {
    this.#wordsPerRow = Math.ceil(grid.width / BITS);
    this.#words = new Int32Array(grid.height * this.#wordsPerRow);
  }

  clear(): void {
    this.#words.fill(0);
  }

  add(size: Size, { top, left }: Place): void {
    for (let word = left >>> 5; word * BITS < left + size.width; word++) {
      const bits = bitsOf(left - word * BITS, left + size.width - word * BITS);
      let at = top * this.#wordsPerRow + word;
      for (let y = 0; y < size.height; y++, at += this.#wordsPerRow) this.#words[at] = (this.#words[at] ?? 0) | bits;
    }
  }

  has(y: number, x: number): boolean {
    return (((this.#words[y * this.#wordsPerRow + (x >>> 5)] ?? 0) >>> (x & 31)) & 1) === 1;
  }

  /** Patches of a block that are not covered. */
  countFree(size: Size, { top, left }: Place): number {
    let count = 0;
    for (let word = left >>> 5; word * BITS < left + size.width; word++) {
      const bits = bitsOf(left - word * BITS, left + size.width - word * BITS);
      let at = top * this.#wordsPerRow + word;
      for (let y = 0; y < size.height; y++, at += this.#wordsPerRow) count += ones(~(this.#words[at] ?? 0) & bits);
    }
    return count;
  }
}

/** The bits from … to − 1 of a word; both may lie outside of it. */
function bitsOf(from: number, to: number): number {
  const first = Math.max(from, 0);
  const count = Math.min(to, BITS) - first;
  return (count === BITS ? -1 : (1 << count) - 1) << first;
}

/** How many bits are set. */
function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
