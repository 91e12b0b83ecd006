/**
 * Random numbers as a function of what they are for: (seed, purpose, step, sample) → a stream. Two calls with the same
 * arguments give the same numbers on any machine, in any worker and after any resume; nothing is ever carried over.
 */
import { type PhiloxCounter, type PhiloxKey, philoxBlocks } from "./philox";
import { uniform53, ziggurat, zigguratFill } from "./ziggurat";

export interface Random {
  /** A whole number in [0, 2³²). */
  uint32(): number;
  /** A number in [0, 1), 53 bits. */
  uniform(): number;
  /** A whole number in [0, n), every one equally likely; n from 1 to 2³². */
  integer(n: number): number;
  /** A standard normal number. */
  normal(): number;
  /** Puts the items in a random order, in place, and returns them. */
  shuffle<T extends { [index: number]: number; readonly length: number } | unknown[]>(items: T): T;
  /** Fills an array with normal numbers of mean 0; begins at a fresh block of its own. */
  fillNormal(out: Float32Array, std: number): void;
}

export interface StreamName {
  /** The seed of the experiment: a whole number, at most 2⁵³ − 1. */
  readonly seed: number;
  /** What the numbers are for, e.g. `masks.size` or `init.encoder.norm.weight`. Different names are independent. */
  readonly purpose: string;
  /** A step or epoch, below 2³². */
  readonly step?: number;
  /** An image or another item, below 2⁵³. */
  readonly sample?: number;
}

/** The stream of this name, at its beginning. */
export function randomAt({ seed, purpose, step = 0, sample = 0 }: StreamName): Random {
  return new Stream(keyOf(seed, purpose), { c1: low32(sample), c2: high32(sample), c3: step });
}

class Stream implements Random {
  readonly #key: PhiloxKey;
  readonly #counter: PhiloxCounter;
  readonly #words = new Uint32Array(4);
  #block = 0;
  #at = 4;

  constructor(key: PhiloxKey, counter: PhiloxCounter) {
    this.#key = key;
    this.#counter = counter;
  }

  uint32(): number {
    if (this.#at === 4) {
      philoxBlocks(this.#words, this.#key, this.#counter, this.#block++);
      this.#at = 0;
    }
    return this.#words[this.#at++] ?? 0;
  }

  uniform(): number {
    return uniform53(this.uint32(), this.uint32());
  }

  integer(n: number): number {
    if (!(n >= 1)) throw new Error(`internal: a random whole number below ${n}`);
    // Words at or above the largest multiple of n are drawn again: a bare remainder would prefer small numbers.
    for (;;) {
      const word = this.uint32();
      const rest = word % n;
      if (word - rest <= 2 ** 32 - n) return rest;
    }
  }

  normal(): number {
    return ziggurat(this);
  }

  shuffle<T extends { [index: number]: number; readonly length: number } | unknown[]>(items: T): T {
    const list: { [index: number]: unknown; readonly length: number } = items;
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const item = list[i];
      list[i] = list[j];
      list[j] = item;
    }
    return items;
  }

  fillNormal(out: Float32Array, std: number): void {
    const buffer = new Uint32Array(4 * Math.min(256, Math.ceil(out.length / 4) || 1));
    zigguratFill(out, std, buffer, () => {
      philoxBlocks(buffer, this.#key, this.#counter, this.#block);
      this.#block += buffer.length / 4;
    });
    this.#at = 4;
  }
}

const low32 = (value: number): number => value >>> 0;
const high32 = (value: number): number => Math.floor(value / 2 ** 32);

const purposes = new Map<string, readonly [number, number]>();

/** Mixes seed and purpose into a key: one Philox block over the seed and a 64-bit hash of the purpose. */
function keyOf(seed: number, purpose: string): PhiloxKey {
  let hash = purposes.get(purpose);
  if (hash === undefined) {
    hash = [fnv1a(purpose, 0x811c9dc5), fnv1a(purpose, 0x01234567)];
    purposes.set(purpose, hash);
  }
  const words = new Uint32Array(4);
  philoxBlocks(words, { k0: hash[0], k1: hash[1] }, { c1: high32(seed), c2: 0, c3: 0 }, low32(seed));
  return { k0: words[0] ?? 0, k1: words[1] ?? 0 };
}

/** FNV-1a over UTF-16 units, from a given start, with MurmurHash3's finalizer to spread short names. */
function fnv1a(text: string, start: number): number {
  let hash = start;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
