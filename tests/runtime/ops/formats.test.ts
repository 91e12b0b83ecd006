/** Which number formats an op takes and gives, where types are gone. */
import { describe, expect, it } from "vitest";
import { referenceOps } from "../../../runtime/engines/reference/engine";
import { dense } from "../../../runtime/engines/reference/tensor";
import { outputFormat } from "../../../runtime/ops/adapter";
import type { Dtype, OpName } from "../../../runtime/ops/ops";
import { isProduct } from "../../../runtime/ops/signatures";
import { callOp } from "../../support/op-calls";
import { opSamples } from "../../support/op-samples";

describe("formats", () => {
  it.each<readonly [OpName, readonly Dtype[], Dtype | string]>([
    ["linear", ["f32", "f32", "f32"], "f32"],
    ["linear", ["bf16", "bf16", "f32"], "f32"],
    ["linear", ["bf16", "f32", "f32"], "internal: linear(bf16, f32, f32) should be linear(bf16, bf16, f32)"],
    ["linear", ["f32", "bf16", "f32"], "internal: linear(f32, bf16, f32) should be linear(f32, f32, f32)"],
    ["linear", ["bf16", "bf16", "bf16"], "internal: linear(bf16, bf16, bf16) should be linear(bf16, bf16, f32)"],
    ["matmulTN", ["bf16", "bf16"], "f32"],
    ["matmulTN", ["i32", "f32"], "internal: matmulTN(i32, f32) should be matmulTN(f32, f32)"],
    ["toBf16", ["f32"], "bf16"],
    ["toBf16", ["bf16"], "internal: toBf16(bf16) should be toBf16(f32)"],
    ["toF32", ["bf16"], "f32"],
    ["toF32", ["f32"], "internal: toF32(f32) should be toF32(bf16)"],
    ["gatherTokens", ["f32", "i32"], "f32"],
    ["gatherTokens", ["f32", "f32"], "internal: gatherTokens(f32, f32) should be gatherTokens(f32, i32)"],
    ["gelu", ["bf16"], "internal: gelu(bf16) should be gelu(f32)"],
    ["globalNorm", ["f32", "f32", "bf16"], "internal: globalNorm(f32, f32, bf16) should be globalNorm(f32, f32, f32)"],
  ])("%s(%j) gives %s", (op, given, want) => {
    if (want.startsWith("internal")) expect(() => outputFormat(op, given)).toThrow(want);
    else expect(outputFormat(op, given)).toBe(want);
  });

  it("an engine is not handed an op whose formats do not fit", () => {
    const x = dense([2, 2], new Float64Array(4));
    const call = () => callOp(referenceOps, "matmul", [x, { ...x, dtype: "bf16" }], { scale: 1 });
    expect(call).toThrow("internal: matmul(f32, bf16) should be matmul(f32, f32)");
  });

  it("the products are the ops that multiply matrices", () => {
    expect((Object.keys(opSamples) as OpName[]).filter(isProduct)).toEqual([
      "linear",
      "linearGradInput",
      "linearGradWeight",
      "matmul",
      "matmulNT",
      "matmulTN",
    ]);
  });
});
