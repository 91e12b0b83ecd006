import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { TrainerFlags } from "../../../runtime/cli";
import { tinyProgram } from "./fake";
import { events, folder, latest, runIn } from "./running";

describe("--floor", () => {
  const floor = (value: number, epoch = 1, metric = "loss"): { readonly floors: TrainerFlags["floors"] } => ({
    floors: [{ metric, epoch, value, goal: "min" }],
  });

  it("ends a run at the end of the epoch, well, with a checkpoint and the reason", async () => {
    const directory = folder();
    const { code, text } = await runIn(directory, { flags: floor(0) });
    expect(code).toBe(0);
    expect(text).toMatch(
      /Stopped after step 5 of 10: loss is [\d.]+ after epoch 1, and goes on with at most 0\. Saved in/,
    );
    expect(events(directory).slice(-1)).toMatchObject([{ event: "end", step: 5, reason: "floor" }]);
    expect(existsSync(join(directory, latest))).toBe(true);
    // The same command again comes to the same, without a step.
    const again = await runIn(directory, { flags: { ...floor(0), resume: { from: "auto" } } });
    expect(again.code).toBe(0);
    expect(again.engine.calls).toEqual([]);
    expect(events(directory).at(-1)).toMatchObject({ event: "end", step: 5, reason: "floor" });
  });

  it("lets a run go on that holds it", async () => {
    const directory = folder();
    await runIn(directory, { flags: floor(1e6) });
    expect(events(directory).at(-1)).toMatchObject({ event: "end", step: 10, reason: "complete" });
  });

  const never: readonly [what: string, floors: { readonly floors: TrainerFlags["floors"] }, says: RegExp][] = [
    ["after the last epoch", floor(1, 2), /^--floor loss@2=1: the run has 2 epochs, .* from 1 to 1\.$/],
    ["of what is not evaluated then", floor(1, 1, "count.knn"), /^--floor count\.knn@1<=1: the experiment evaluates/],
  ];
  it.each(never)("refuses one %s, and the log says so", async (_, given, says) => {
    const directory = folder();
    const experiment = { evaluation: { ...tinyProgram().experiment.evaluation, everyEpochs: 0 } };
    await expect(runIn(directory, { flags: given, experiment })).rejects.toThrow(says);
    expect(events(directory)).toMatchObject([
      { event: "end", step: 0, reason: "failed", code: expect.stringMatching(/^R18/) },
    ]);
  });
});
