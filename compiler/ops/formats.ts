/** Casts. What a product makes is float32 in either format, so a gradient is float32, also that of a bfloat16 value. */
import { type Op, perElement, tokenwise } from "./op";

export const toBf16: Op<"toBf16"> = {
  name: "toBf16",
  tokenwise: tokenwise(1),
  doc: "out = x rounded to 8 bits of significand, to nearest, ties to even",
  flops: perElement(0),
  // Straight through: the slope of rounding is 0 almost everywhere, that of what it stands for is 1.
  vjp: ({ gradient }) => [gradient],
};

export const toF32: Op<"toF32"> = {
  name: "toF32",
  tokenwise: tokenwise(1),
  doc: "out = x",
  flops: perElement(0),
  vjp: ({ gradient }) => [gradient],
};
