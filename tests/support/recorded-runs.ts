/** What every recorded run of another implementation is held to: on the default engine, in float64, and with mistakes in step.ts. */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createReferenceEngine } from "../../runtime/engines/reference/engine";
import { inputSpecs } from "../../runtime/loop/functions";
import { follow } from "../../runtime/replay/follow";
import { evaluateReplay } from "./generated";
import { groupsThatNotice, type Mistake } from "./mistakes";
import { type CompiledTrace, compiledTraceAt, followFiles } from "./replay";

/** `name` is that of a file in tests/golden without its ending, e.g. `transformers/mae_pixels`; for the tests of one describe. */
export function recordedRun(name: string): () => CompiledTrace {
  let compiled: CompiledTrace | undefined;
  const known = (): CompiledTrace => {
    if (compiled === undefined) throw new Error(`${name} was not compiled`);
    return compiled;
  };
  beforeAll(async () => {
    compiled = await compiledTraceAt(fileURLToPath(new URL(`../golden/${name}.safetensors`, import.meta.url)));
  });
  afterAll(() => known().trace.close());
  return known;
}

/** Every tensor of the run is compared, and holds. */
export function holds(run: () => CompiledTrace, tensors: number): void {
  it("holds on the default engine", async () => {
    const { comparisons, notRecorded } = await followFiles(run().trace, run().files);
    expect(comparisons.filter(({ holds }) => !holds)).toEqual([]);
    expect(comparisons).toHaveLength(tensors);
    expect(notRecorded).toEqual([]);
  });

  it("holds in float64", async () => {
    const { comparisons } = await follow(await evaluateReplay(run().files), run().trace, await createReferenceEngine());
    expect(comparisons.filter(({ holds }) => !holds)).toEqual([]);
    expect(comparisons).toHaveLength(tensors);
  });
}

export function hasNoMovingAverage(run: () => CompiledTrace): void {
  it("has no moving average: not in the step, not in the state", async () => {
    const { state, functions } = await evaluateReplay(run().files);
    expect(state).toEqual(["weights", "m", "v"]);
    const given = functions.flatMap((fn) => [...inputSpecs(fn).keys()]);
    expect(given.filter((path) => path.startsWith("schedule."))).toEqual([
      "schedule.stepSize",
      "schedule.secondMoment",
      "schedule.decayFactor",
    ]);
    const step = run().files.find((file) => file.name === "step.ts")?.text ?? "";
    expect(step).toContain("o.adamw(");
    expect(step).not.toMatch(/o\.ema\(|target encoder|Target</);
  });
}

export function noticesMistakes(name: string, mistakes: readonly Mistake[]): void {
  describe("one mistake in step.ts", () => {
    const run = recordedRun(name);
    it.each(mistakes)("$mistake", async (mistake) => {
      expect(await groupsThatNotice(run(), mistake)).toContain(mistake.seenIn);
    });
  });
}
