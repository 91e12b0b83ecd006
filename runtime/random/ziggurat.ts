/**
 * The ziggurat method for normal numbers (Marsaglia and Tsang, J. Stat. Softw. 5, 2000) with 256 layers. Almost every
 * number costs one word and one multiplication, and no logarithm or cosine whose last bit could differ between
 * versions of an engine.
 */

const LAYERS = 256;
/** Where the tail begins, and the area of every layer, for 256 layers. */
const TAIL = 3.6541528853610088;
const AREA = 0.00492867323399;
/** Numbers within a layer are 24-bit, signed. */
const STEPS = 2 ** 23;

const density = (x: number): number => Math.exp(-0.5 * x * x);

/** edges[i] is the right edge of layer i; layer 0 holds the base strip with the tail. */
const edges = ((): Float64Array => {
  const x = new Float64Array(LAYERS + 1);
  x[0] = AREA / density(TAIL);
  x[1] = TAIL;
  for (let i = 2; i < LAYERS; i++) {
    const outer = x[i - 1] ?? 0;
    x[i] = Math.sqrt(-2 * Math.log(AREA / outer + density(outer)));
  }
  x[LAYERS] = 0;
  return x;
})();
const widths = edges.map((edge) => edge / STEPS);
/** Below this, a number of the layer lies under the curve for certain. */
const inner = new Float64Array(LAYERS).map((_, i) => edges[i + 1] ?? 0);
const heights = edges.map(density);

export interface Words {
  uint32(): number;
  /** In [0, 1), 53 bits. */
  uniform(): number;
}

/** One standard normal number. */
export function ziggurat(words: Words): number {
  for (;;) {
    const word = words.uint32();
    const layer = word & (LAYERS - 1);
    // The upper 24 bits as a signed number; half a step keeps the two signs symmetric.
    const x = ((word >> 8) + 0.5) * (widths[layer] ?? 0);
    if (Math.abs(x) < (inner[layer] ?? 0)) return x;
    const accepted = layer === 0 ? tail(words, x < 0) : wedge(words, layer, x);
    if (accepted !== null) return accepted;
  }
}

/** Standard normal numbers times `std` into `out`; words come from `refill`, which fills a buffer with fresh ones. */
export function zigguratFill(out: Float32Array, std: number, buffer: Uint32Array, refill: () => void): void {
  let at = buffer.length;
  const words: Words = {
    uint32() {
      if (at === buffer.length) {
        refill();
        at = 0;
      }
      return buffer[at++] ?? 0;
    },
    uniform: () => uniform53(words.uint32(), words.uint32()),
  };
  for (let i = 0; i < out.length; i++) {
    if (at === buffer.length) {
      refill();
      at = 0;
    }
    const word = buffer[at] ?? 0;
    const layer = word & (LAYERS - 1);
    const x = ((word >> 8) + 0.5) * (widths[layer] ?? 0);
    if (Math.abs(x) < (inner[layer] ?? 0)) {
      at++;
      out[i] = x * std;
    } else {
      out[i] = ziggurat(words) * std; // reads the same word again, then what it needs
    }
  }
}

/** 53 bits of two words, in [0, 1). */
export function uniform53(a: number, b: number): number {
  return ((a >>> 5) * 2 ** 26 + (b >>> 6)) / 2 ** 53;
}

function wedge(words: Words, layer: number, x: number): number | null {
  const low = heights[layer] ?? 0;
  const high = heights[layer + 1] ?? 0;
  return low + words.uniform() * (high - low) < density(x) ? x : null;
}

function tail(words: Words, negative: boolean): number {
  for (;;) {
    const x = -Math.log(1 - words.uniform()) / TAIL;
    const y = -Math.log(1 - words.uniform());
    if (2 * y > x * x) return negative ? -(TAIL + x) : TAIL + x;
  }
}
