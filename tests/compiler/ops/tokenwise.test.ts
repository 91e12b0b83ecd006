/** What an op says of tokens holds in numbers: passes rely on it to choose, copy and join tokens before it. */
import { describe, expect, test } from "vitest";
import { ops } from "../../../compiler/ops";
import { referenceOps } from "../../../runtime/engines/reference/engine";
import type { Dense } from "../../../runtime/engines/reference/tensor";
import type { OpName } from "../../../runtime/ops/ops";
import { callOp, denseSample } from "../../support/op-calls";
import { opNames } from "../../support/op-samples";

const run = (op: OpName, inputs: readonly Dense[], attrs: object): Dense => {
  // The reference ops give what they take: tensors with their numbers.
  const [result] = callOp(referenceOps, op, inputs, attrs) as readonly Dense[];
  if (result === undefined) throw new Error(`${op} gave nothing`);
  return result;
};

/** What passes do to tokens: some of them, copies of all, or those of two. */
const select = (x: Dense): Dense => run("sliceTokens", [x], { start: 1, tokens: 2 });
const tile = (x: Dense): Dense => run("tileBatch", [x], { copies: 2, rows: 2 * (x.shape[0] ?? 0) });
const twice = (x: Dense): Dense => run("concatTokens", [x, x], { tokens: 2 * (x.shape[1] ?? 0) });

const tokenwise = opNames.flatMap((op) => {
  const facet = ops[op].tokenwise;
  return facet === null ? [] : [{ op, ...facet }];
});

describe.each(tokenwise)("$op", ({ op, inputs: count, others }) => {
  const { inputs, attrs } = denseSample(op, 9);
  const moves = others === "of all images" ? { select, tile, twice } : { select };

  test.each(Object.entries(moves))("%s before or after", (_, move) => {
    const before = run(
      op,
      inputs.map((x, i) => (i < count ? move(x) : x)),
      attrs,
    );
    const after = move(run(op, inputs, attrs));
    expect(before.shape).toEqual(after.shape);
    expect([...before.data]).toEqual([...after.data]);
  });
});
