/** Casts. */
import { takes } from "../formats";
import { elementwise, type Signatures } from "./signature";

export const formats = {
  toBf16: { ...elementwise("toBf16", 1), formats: takes(["f32"], "bf16") },
  toF32: { ...elementwise("toF32", 1), formats: takes(["bf16"]) },
} satisfies Signatures;
