/**
 * The recorded steps of the official code, which are float32, beside the same steps with operands in bfloat16. What rounding
 * explains is as in support/bfloat16.ts, here of the largest number of a tensor: a replay keeps largest differences. After
 * updates it explains next to everything: AdamW moves a weight by about its rate whichever sign the gradient has, so there
 * the bound is how far two runs can be moved apart.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildTrainer } from "../../../../compiler/build";
import { createEngine, type XlaEngine } from "../../../../runtime/engines/xla/engine";
import { type Comparison, type Group, largest } from "../../../../runtime/replay/compare";
import { follow } from "../../../../runtime/replay/follow";
import { floatsOf } from "../../../../runtime/replay/inputs";
import { openTrace, type Trace } from "../../../../runtime/replay/trace";
import { compileReplay } from "../../../../tools/replay/compile";
import { specOfTrace } from "../../../../tools/replay/spec";
import { castsOfStep, toleranceOf } from "../../../support/bfloat16";
import { evaluateReplay } from "../../../support/generated";
import { officialPath } from "../../../support/official";
import { hasPlugin, plugin, useOwnCache } from "../../../support/pjrt";

const cache = useOwnCache();
afterAll(cache.remove);

/**
 * |m̂| / √v̂ of AdamW at most, in the few steps of a trace: by Cauchy, √(t · Σ a²) with the weights a of a mean of t gradients
 * that β1 = 0.9 makes, since those of β2 = 0.999 are all but equal.
 */
const MOST_PER_RATE = 1.1;

type Bound = (comparison: Comparison, recorded: ArrayLike<number>) => number;

function boundsOf(casts: number, rates: ArrayLike<number>): { readonly [G in Group]: Bound } {
  const asInFloat32: Bound = ({ tolerance }) => tolerance;
  const rounded: Bound = ({ tolerance }, recorded) => Math.max(tolerance, toleranceOf(casts) * largest(recorded));
  const moved: Bound = ({ afterSteps }) =>
    2 *
    MOST_PER_RATE *
    Array.from(rates)
      .slice(0, afterSteps)
      .reduce((sum, rate) => sum + rate, 0);
  return {
    "position embeddings": asInFloat32,
    schedules: asInFloat32,
    targets: rounded,
    context: rounded,
    predictions: rounded,
    losses: rounded,
    gradients: rounded,
    weights: moved,
    "moving average": moved,
  };
}

async function inBfloat16(trace: Trace) {
  const hardware = { ...specOfTrace(trace).hardware, engine: "xla", precision: "bf16" } as const;
  const { plan, files } = compileReplay(trace, { hardware });
  return { casts: castsOfStep(buildTrainer(plan).model), program: await evaluateReplay(files) };
}

describe.skipIf(!hasPlugin)("recorded steps in bfloat16", () => {
  let engine: XlaEngine;
  beforeAll(async () => {
    engine = await createEngine({ threads: 1, device: "cpu", precision: "bf16", pjrtPlugin: plugin.path });
  });
  afterAll(() => engine.release());

  // One of the traces: each of its programs is compiled for this alone.
  test.each(["step_tiny_official_init"])(
    "%s is as far away as rounding explains",
    { timeout: 600_000 },
    async (name) => {
      const trace = await openTrace(officialPath(`${name}.safetensors`));
      try {
        const { casts, program } = await inBfloat16(trace);
        const { comparisons } = await follow(program, trace, engine, { mse: false });
        const bounds = boundsOf(casts, await floatsOf(trace.file, "seq.lr"));
        const beyond: string[] = [];
        let furthest = 0;
        for (const comparison of comparisons) {
          const { group, tensor, difference } = comparison;
          const recorded = await floatsOf(trace.file, tensor.replace("[k]", ""));
          const bound = bounds[group](comparison, recorded);
          if (!(difference <= bound)) beyond.push(`${tensor}: ${difference}, at most ${bound}`);
          if (group === "gradients") furthest = Math.max(furthest, difference / largest(recorded));
        }
        expect(comparisons.length).toBeGreaterThan(90);
        expect(beyond).toEqual([]);
        // Far beyond what float32 rounds: it was bfloat16 that ran.
        expect(furthest).toBeGreaterThan(2 ** -10);
      } finally {
        await trace.close();
      }
    },
  );
});
