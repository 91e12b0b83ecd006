/** Random choices of a fixed number of things. */
import type { Random } from "../random/random";

/** Writes `count` of the items from `at` on, every choice equally likely, in their order (Knuth's algorithm S). */
export function choose(out: Int32Array, at: number, items: readonly number[], count: number, random: Random): void {
  let wanted = count;
  for (let i = 0; wanted > 0; i++) {
    if (random.integer(items.length - i) < wanted) out[at + count - wanted--] = items[i] ?? 0;
  }
}
