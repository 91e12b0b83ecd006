/** The casts in the table of an engine that has no bfloat16. */

function refuse(): never {
  // hardware-rules.ts knows which engines have which precision, and refused the spec before a step was written (E318)
  throw new Error("internal: a step in bfloat16 on an engine without it");
}

export const noBfloat16 = { toBf16: refuse, toF32: refuse };
