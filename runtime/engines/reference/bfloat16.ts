/** Rounding to bfloat16: the sign and exponent of float32, and 8 bits of significand, the first of them implicit. */

/** The largest finite one, (2 − 2⁻⁷) · 2¹²⁷. */
const MOST = (2 - 2 ** -7) * 2 ** 127;
/** Below it, numbers have the spacing of the smallest ones: 2⁻¹³³. */
const LEAST_NORMAL = 2 ** -126;
const LEAST = 2 ** -133;

const number = new Float64Array(1);
/** The number's bits: the low 32, then the high 32. Float64 has 20 bits of its significand in the high word. */
const bits = new Uint32Array(number.buffer);
const DROPPED = 0x1fff;
const HALF = 0x1000;
const UNIT = 0x2000;

/** To the nearest, of two equally near ones to that with an even last bit; beyond the largest to infinity. */
export function toBfloat16(x: number): number {
  if (Math.abs(x) < LEAST_NORMAL) return evenInteger(x / LEAST) * LEAST;
  if (!Number.isFinite(x)) return x;
  number[0] = x;
  const [low = 0, high = 0] = bits;
  const rest = high & DROPPED;
  const isOdd = (high & UNIT) !== 0;
  const up = rest > HALF || (rest === HALF && (low !== 0 || isOdd));
  bits[0] = 0;
  bits[1] = (high & ~DROPPED) + (up ? UNIT : 0);
  const [rounded = Number.NaN] = number;
  return Math.abs(rounded) > MOST ? Math.sign(rounded) * Number.POSITIVE_INFINITY : rounded;
}

/** The nearest integer, of two equally near ones the even. */
function evenInteger(x: number): number {
  const near = Math.round(x);
  return Math.abs(near - x) === 0.5 && near % 2 !== 0 ? near - 1 : near;
}
