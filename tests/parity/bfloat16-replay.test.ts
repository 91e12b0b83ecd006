/**
 * The recorded steps of the official code, and those of the other objectives, with operands in bfloat16, in float64 besides: rounding is all that is off, so the
 * tolerances of runtime/replay/bfloat16.ts have to hold here before an engine is held to them. `npm run test:bf16` takes all
 * recordings; all steps: docs/parity.md.
 */
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { createReferenceEngine } from "../../runtime/engines/reference/engine";
import { shareOf } from "../../runtime/replay/compare";
import { compiledTrace, compiledTraceAt, followFiles, inBfloat16, officialTraces } from "../support/replay";

const traces = process.env.IJEPA_INTEGRATION === undefined ? ["step_tiny_official_init"] : officialTraces;

it.each(traces)("the first step of %s holds, and was rounded", { timeout: 600_000 }, async (name) => {
  const { trace, files } = await compiledTrace(name, inBfloat16);
  try {
    const engine = await createReferenceEngine();
    const { comparisons } = await followFiles(trace, files, { engine, steps: 1, mse: false });
    expect(comparisons.filter(({ holds }) => !holds)).toEqual([]);
    // Tolerances much wider than what there is would let anything pass.
    const shares = comparisons.filter(({ group }) => group === "gradients").map(shareOf);
    expect(shares.length === 0 || Math.max(...shares) > 0.1).toBe(true);
  } finally {
    await trace.close();
  }
});

it.each([
  "torch/vicreg",
  "transformers/mae_normalized",
  "transformers/mae_pixels",
  "transformers/simmim_two_blocks",
  "transformers/simmim_one_block",
  "transformers/data2vec_blocks",
  "transformers/data2vec_last",
])("all steps of %s hold, and were rounded", async (name) => {
  const path = fileURLToPath(new URL(`../golden/${name}.safetensors`, import.meta.url));
  const { trace, files } = await compiledTraceAt(path, inBfloat16);
  try {
    const { comparisons } = await followFiles(trace, files, { engine: await createReferenceEngine(), mse: false });
    expect(comparisons.filter(({ holds }) => !holds)).toEqual([]);
    const shares = comparisons.filter(({ group }) => group === "gradients").map(shareOf);
    expect(Math.max(...shares)).toBeGreaterThan(0.1);
  } finally {
    await trace.close();
  }
});
