/**
 * Philox4x32-10, a counter-based generator (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011):
 * a keyed bijection of 128-bit counters whose outputs pass the usual batteries of tests. Any number of any stream can be
 * computed at once, which is what makes results independent of the order of work.
 */

const M0 = 0xd2511f53 | 0;
const M0_LOW = 0x1f53;
const M0_HIGH = 0xd251;
const M1 = 0xcd9e8d57 | 0;
const M1_LOW = 0x8d57;
const M1_HIGH = 0xcd9e;
const W0 = 0x9e3779b9 | 0;
const W1 = 0xbb67ae85 | 0;
const ROUNDS = 10;

/** Two 32-bit words that name a stream. */
export interface PhiloxKey {
  readonly k0: number;
  readonly k1: number;
}

/** The upper three words of the counter; the lowest counts the blocks of the stream. */
export interface PhiloxCounter {
  readonly c1: number;
  readonly c2: number;
  readonly c3: number;
}

/** Fills `out` (a multiple of four words) with the blocks `firstBlock`, `firstBlock` + 1, … of a stream. */
export function philoxBlocks(out: Uint32Array, key: PhiloxKey, counter: PhiloxCounter, firstBlock: number): void {
  for (let at = 0, block = firstBlock | 0; at < out.length; at += 4, block = (block + 1) | 0) {
    let a = block;
    let b = counter.c1 | 0;
    let c = counter.c2 | 0;
    let d = counter.c3 | 0;
    let k0 = key.k0 | 0;
    let k1 = key.k1 | 0;
    for (let round = 0; round < ROUNDS; round++) {
      // High halves of the 64-bit products M0 · a and M1 · c, from 16-bit halves: JavaScript has no such instruction.
      const aLow = a & 0xffff;
      const aHigh = a >>> 16;
      const aMiddle = (Math.imul(M0_HIGH, aLow) + (Math.imul(M0_LOW, aLow) >>> 16)) | 0;
      const aCarry = (Math.imul(M0_LOW, aHigh) + (aMiddle & 0xffff)) | 0;
      const high0 = (Math.imul(M0_HIGH, aHigh) + (aMiddle >>> 16) + (aCarry >>> 16)) | 0;
      const cLow = c & 0xffff;
      const cHigh = c >>> 16;
      const cMiddle = (Math.imul(M1_HIGH, cLow) + (Math.imul(M1_LOW, cLow) >>> 16)) | 0;
      const cCarry = (Math.imul(M1_LOW, cHigh) + (cMiddle & 0xffff)) | 0;
      const high1 = (Math.imul(M1_HIGH, cHigh) + (cMiddle >>> 16) + (cCarry >>> 16)) | 0;
      const low0 = Math.imul(M0, a);
      const low1 = Math.imul(M1, c);
      a = high1 ^ b ^ k0;
      b = low1;
      c = high0 ^ d ^ k1;
      d = low0;
      k0 = (k0 + W0) | 0;
      k1 = (k1 + W1) | 0;
    }
    out[at] = a;
    out[at + 1] = b;
    out[at + 2] = c;
    out[at + 3] = d;
  }
}
