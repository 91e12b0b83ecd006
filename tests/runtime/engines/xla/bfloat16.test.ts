/** Steps with operands in bfloat16 on XLA: every op that has them, and a whole step beside float64 with the same casts. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { castsOfStep } from "../../../../compiler/step/casts";
import { createReferenceEngine } from "../../../../runtime/engines/reference/engine";
import { createEngine, type XlaEngine } from "../../../../runtime/engines/xla/engine";
import { toleranceOfCasts } from "../../../../runtime/replay/bfloat16";
import { relativeError } from "../../../support/bfloat16";
import { expectOp } from "../../../support/op-check";
import { bfloat16Samples } from "../../../support/op-samples";
import { hasPlugin, plugins, useOwnCache } from "../../../support/pjrt";
import { type Trained, train } from "../../../support/train";
import { base, compiledWith, inBfloat16 } from "../../../support/variations";

const cache = useOwnCache();
afterAll(cache.remove);

const moments = (of: Trained): readonly (readonly [path: string, values: Float32Array])[] =>
  [...of.state].filter(([path]) => path.startsWith("m."));

describe.skipIf(!hasPlugin).each(plugins)("bfloat16 on $name", ({ path }) => {
  const open = (): Promise<XlaEngine> =>
    createEngine({ threads: 1, device: "cpu", precision: "bf16", pjrtPlugin: path });
  let engine: XlaEngine;
  beforeAll(async () => {
    engine = await open();
  });
  afterAll(() => engine.release());

  test.each(bfloat16Samples)("%s gives the numbers of the reference", async (op, sample) => {
    await expectOp(engine, { op, how: "symbolic", reference: await createReferenceEngine(), sample });
  });

  test("a step has the numbers of the reference with the same casts, and float64's within what rounding explains", {
    timeout: 120_000,
  }, async () => {
    const shallow = { encoder: { ...base.encoder, depth: 1 }, predictor: { ...base.predictor, depth: 1 } };
    const compiled = compiledWith({ ...shallow, ...inBfloat16 });
    const found = await train(compiled, await open(), 1);
    const errorTo = (of: Trained): number =>
      Math.max(...moments(of).map(([at, values]) => relativeError([[found.state.get(at) ?? [], values]])));
    const rounded = await train(compiled, await createReferenceEngine(), 1);
    // Before a cast float32 and float64 may lie on different sides of a middle; of so few numbers next to none do.
    expect(errorTo(rounded)).toBeLessThan(2 ** -10);
    expect(found.losses[0]).toBeCloseTo(rounded.losses[0] ?? Number.NaN, 6);
    const exact = await train(compiledWith(shallow), await createReferenceEngine(), 1);
    expect(errorTo(exact)).toBeLessThan(toleranceOfCasts(castsOfStep(compiled.model)));
    expect(errorTo(exact)).toBeGreaterThan(2 ** -9);
  });
});
