/**
 * The generator behind PyTorch's CPU random numbers, for replaying what the official masks drew (reference.md §1.7).
 * Nothing else uses it: training draws from `random.ts`.
 */

const SIZE = 624;
const SHIFT = 397;

/** MT19937 (Matsumoto and Nishimura 1998) with the 32-bit initialization. */
export class Mt19937 {
  readonly #state = new Uint32Array(SIZE);
  #next = SIZE;

  constructor(seed: number) {
    let word = seed >>> 0;
    this.#state[0] = word;
    for (let i = 1; i < SIZE; i++) {
      word = (Math.imul(1812433253, word ^ (word >>> 30)) + i) >>> 0;
      this.#state[i] = word;
    }
  }

  uint32(): number {
    if (this.#next === SIZE) this.#twist();
    let y = this.#state[this.#next++] ?? 0;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return y >>> 0;
  }

  /** torch.rand: 24 bits, in [0, 1). */
  uniform(): number {
    return (this.uint32() & 0xffffff) / 2 ** 24;
  }

  /** torch.randint: 0 … n − 1, with the small bias of a remainder. */
  integer(n: number): number {
    return this.uint32() % n;
  }

  /** torch.randperm. */
  permutation(n: number): number[] {
    const order = Array.from({ length: n }, (_, i) => i);
    for (let i = 0; i < n - 1; i++) {
      const j = i + this.integer(n - i);
      const [a, b] = [order[i] ?? 0, order[j] ?? 0];
      order[i] = b;
      order[j] = a;
    }
    return order;
  }

  #twist(): void {
    const state = this.#state;
    for (let i = 0; i < SIZE; i++) {
      const y = ((state[i] ?? 0) & 0x80000000) | ((state[(i + 1) % SIZE] ?? 0) & 0x7fffffff);
      state[i] = (state[(i + SHIFT) % SIZE] ?? 0) ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#next = 0;
  }
}
