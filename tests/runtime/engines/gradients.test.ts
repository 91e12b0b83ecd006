/** Every gradient op against the slope of its forward op, in float64, along one random direction. */
import { describe, expect, test } from "vitest";
import { referenceOps } from "../../../runtime/engines/reference/engine";
import { type Dense, dense } from "../../../runtime/engines/reference/tensor";
import type { AnyTensor, OpName } from "../../../runtime/ops/ops";
import { callOp, normalOf, randomOf, sampleValues, sizesOf } from "../../support/op-calls";
import { opSamples } from "../../support/op-samples";

const SEED = 7;
const STEP = 1e-6;

interface Case {
  /** The op whose gradient it is; its sample gives the inputs. */
  readonly of: OpName;
  /** The input by which it is the gradient. */
  readonly by: number;
  /** Tensors and attributes of the gradient op, from the inputs, the outputs and the outputs' gradients of the forward. */
  readonly call: (
    x: readonly Dense[],
    y: readonly Dense[],
    dy: readonly Dense[],
  ) => readonly [readonly Dense[], object];
  /** Which of its outputs. */
  readonly output?: number;
}

const shapeAt = (x: readonly Dense[], i: number, axis: number): number => x[i]?.shape.at(axis) ?? Number.NaN;
const pick = (list: readonly Dense[], ...places: readonly number[]): Dense[] =>
  places.map((i) => {
    const tensor = list[i];
    if (tensor === undefined) throw new Error(`no tensor ${i}`);
    return tensor;
  });

const cases: readonly (readonly [gradient: OpName, Case])[] = [
  [
    "scatterTokens",
    {
      of: "gatherTokens",
      by: 0,
      call: (x, _, dy) => [[...dy, ...pick(x, 1)], { images: shapeAt(x, 0, 0), tokens: shapeAt(x, 0, 1) }],
    },
  ],
  ["padTokens", { of: "sliceTokens", by: 0, call: (x, _, dy) => [dy, { start: 5, tokens: shapeAt(x, 0, 1) }] }],
  ["padColumns", { of: "sliceColumns", by: 0, call: (x, _, dy) => [dy, { start: 4, width: shapeAt(x, 0, 2) }] }],
  ["sumTiles", { of: "tileBatch", by: 0, call: (x, _, dy) => [dy, { copies: 4, rows: shapeAt(x, 0, 0) }] }],
  [
    "joinBlocks",
    {
      of: "splitBlocks",
      by: 0,
      call: (x, _, dy) => [dy, { blocks: 4, copies: 2, images: shapeAt(x, 0, 0), tokens: shapeAt(x, 0, 1) }],
    },
  ],
  ["spreadTokens", { of: "meanTokens", by: 0, call: (x, _, dy) => [dy, { tokens: shapeAt(x, 0, 1) }] }],
  [
    "sliceTokens",
    { of: "concatTokens", by: 1, call: (x, _, dy) => [dy, { start: shapeAt(x, 0, 1), tokens: shapeAt(x, 1, 1) }] },
  ],
  ["linearGradInput", { of: "linear", by: 0, call: (x, _, dy) => [[...dy, ...pick(x, 1)], {}] }],
  ["linearGradWeight", { of: "linear", by: 1, call: (x, _, dy) => [[...pick(x, 0), ...dy], {}] }],
  ["sumRows", { of: "linear", by: 2, call: (_, __, dy) => [dy, {}] }],
  ["layerNormGrad", { of: "layerNorm", by: 0, call: (x, _, dy) => [[...dy, ...pick(x, 0, 1)], { eps: 1e-6 }] }],
  [
    "layerNormGrad",
    { of: "layerNorm", by: 1, output: 1, call: (x, _, dy) => [[...dy, ...pick(x, 0, 1)], { eps: 1e-6 }] },
  ],
  [
    "layerNormGrad",
    { of: "layerNorm", by: 2, output: 2, call: (x, _, dy) => [[...dy, ...pick(x, 0, 1)], { eps: 1e-6 }] },
  ],
  ["normalizeGrad", { of: "normalize", by: 0, call: (x, _, dy) => [[...dy, ...x], { eps: 1e-5 }] }],
  ["geluGrad", { of: "gelu", by: 0, call: (x, _, dy) => [[...dy, ...x], {}] }],
  ["joinHeads", { of: "splitHeads", by: 0, call: (x, _, dy) => [dy, { width: shapeAt(x, 0, 2) }] }],
  ["unmergeHeads", { of: "mergeHeads", by: 0, call: (_, __, dy) => [dy, { heads: 2, headWidth: 4 }] }],
  ["matmulNT", { of: "matmul", by: 0, call: (x, _, dy) => [[...dy, ...pick(x, 1)], { scale: 0.5 }] }],
  ["matmulTN", { of: "matmul", by: 1, call: (x, _, dy) => [[...pick(x, 0), ...dy], { scale: 0.5 }] }],
  ["matmul", { of: "matmulNT", by: 0, call: (x, _, dy) => [[...dy, ...pick(x, 1)], { scale: 0.5 }] }],
  ["softmaxGrad", { of: "softmax", by: 0, call: (_, y, dy) => [[...dy, ...y], {}] }],
  ["sumBatch", { of: "addTable", by: 1, call: (_, __, dy) => [dy, {}] }],
  ["smoothL1Grad", { of: "smoothL1", by: 0, call: (x) => [x, { beta: 0.75 }] }],
  ["mseGrad", { of: "mse", by: 0, call: (x) => [x, {}] }],
  ["l1Grad", { of: "l1", by: 0, call: (x) => [x, {}] }],
  ["varianceTermGrad", { of: "varianceTerm", by: 0, call: (x) => [x, { weight: 0.75, gamma: 1, eps: 1e-4 }] }],
  ["covarianceTermGrad", { of: "covarianceTerm", by: 0, call: (x) => [x, { weight: 0.75 }] }],
];

const run = (op: OpName, tensors: readonly AnyTensor[], attrs: object): Dense[] =>
  // The reference ops give what they take: tensors with their numbers.
  callOp(referenceOps, op, tensors, attrs) as Dense[];

const dot = (a: Dense, b: Dense): number =>
  a.data.reduce((sum, value, i) => sum + value * (b.data[i] ?? Number.NaN), 0);

describe("the gradient op gives the slope of its forward op", () => {
  test.each(cases)("%s", (gradient, { of, by, call, output = 0 }) => {
    const { tensors, attrs, lengths = {} } = opSamples[of];
    const random = randomOf(SEED);
    const known = Object.fromEntries(
      Object.entries(attrs).map(([name, value]) => [name, typeof value === "string" ? lengths[value] : value]),
    );
    const x = tensors.map((tensor) =>
      dense(
        sizesOf(tensor.shape, lengths),
        Float64Array.from(sampleValues(tensor, lengths, random)),
        typeof tensor.holds === "object" ? "i32" : "f32",
      ),
    );
    const [moved] = pick(x, by);
    if (moved === undefined) throw new Error("no input");
    const direction = dense(
      moved.shape,
      moved.data.map(() => normalOf(random)),
    );
    const at = (step: number): Dense[] => {
      const shifted = dense(
        moved.shape,
        moved.data.map((value, i) => value + step * (direction.data[i] ?? 0)),
      );
      return run(
        of,
        x.map((tensor, i) => (i === by ? shifted : tensor)),
        known,
      );
    };
    const y = at(0);
    // A loss begins with the gradient 1; everything else with a random one.
    const dy = y.map((tensor) =>
      dense(
        tensor.shape,
        tensor.data.map(() => (tensor.shape.length === 0 ? 1 : normalOf(random))),
      ),
    );
    const valueAt = (step: number): number =>
      at(step).reduce((sum, tensor, i) => sum + dot(tensor, pick(dy, i)[0] ?? tensor), 0);
    const slope = (valueAt(STEP) - valueAt(-STEP)) / (2 * STEP);
    const [given, givenAttrs] = call(x, y, dy);
    const [found] = pick(run(gradient, given, givenAttrs), output);
    if (found === undefined) throw new Error("no gradient");
    expect(found.shape).toEqual(moved.shape);
    const predicted = dot(found, direction);
    expect(
      Math.abs(predicted - slope) / Math.max(1e-3, Math.abs(slope)),
      `seed ${SEED}: ${predicted} and ${slope}`,
    ).toBeLessThan(1e-6);
  });
});

test("every op named as a gradient is among them", () => {
  const tried = new Set(cases.map(([gradient]) => gradient));
  const named = (Object.keys(opSamples) as OpName[]).filter((op) =>
    /Grad|^pad|^scatter|^sum|^join|^spread|^unmerge/.test(op),
  );
  expect(named.filter((op) => !tried.has(op))).toEqual([]);
});
