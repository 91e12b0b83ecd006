import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readCheckpointMetadata } from "../../../runtime/checkpoint/checkpoint";
import type { TrainerFlags } from "../../../runtime/cli";
import { noLoggerSettings } from "../../support/no-loggers";
import { tinyProgram } from "./fake";
import { folder, latest, losses, resume, runIn, stepsAndEpochs } from "./running";

describe("a resumed run", () => {
  const cases: readonly [kind: "step" | "accumulate", stops: readonly number[]][] = [
    ["step", [5]],
    ["step", [3]],
    ["accumulate", [7]],
    ["accumulate", [1, 4, 9]],
  ];
  it.each(cases)("%s, stopped after %j, is the same to the bit", async (kind, stops) => {
    const [whole, parts] = [folder(), folder()];
    await runIn(whole, { kind });
    for (const [i, stopAtStep] of [...stops, null].entries()) {
      const { code } = await runIn(parts, { kind, flags: { stopAtStep, ...(i === 0 ? {} : { resume }) } });
      expect(code).toBe(0);
    }
    expect(readFileSync(join(parts, latest)).equals(readFileSync(join(whole, latest)))).toBe(true);
    expect(losses(parts)).toEqual(losses(whole));
    expect(stepsAndEpochs(parts)).toEqual(stepsAndEpochs(whole));
  });

  it("drops what was logged after its checkpoint", async () => {
    const [whole, parts] = [folder(), folder()];
    await runIn(whole);
    // Fails in step 9, after the checkpoint of step 5 and the rows of three steps more.
    await expect(runIn(parts, { lossAt: (call) => (call === 16 ? Number.NaN : null) })).rejects.toThrow();
    expect(losses(parts)).toHaveLength(9);
    const { text } = await runIn(parts, { flags: { resume } });
    expect(text).toContain(`going on from ${join(parts, latest)}, after step 5`);
    expect(losses(parts)).toEqual(losses(whole));
    expect(stepsAndEpochs(parts)).toEqual(stepsAndEpochs(whole));
    expect(readFileSync(join(parts, latest)).equals(readFileSync(join(whole, latest)))).toBe(true);
  });

  it("can go on from a kept checkpoint, by its path", async () => {
    const [whole, forked] = [folder(), folder()];
    const log = {
      logEverySteps: 2,
      checkpointEveryEpochs: 1,
      keepEveryEpochs: 1,
      keepLast: 1,
      keepBestMetric: null,
      ...noLoggerSettings,
    };
    await runIn(whole, { experiment: { log } });
    const path = join(whole, "tiny-ep1.safetensors");
    await runIn(forked, { experiment: { log }, flags: { resume: { from: "path", path } } });
    expect(readFileSync(join(forked, latest)).equals(readFileSync(join(whole, latest)))).toBe(true);
    await expect(runIn(forked, { experiment: { log }, flags: { resume: { from: "path", path } } })).rejects.toThrow(
      /already holds a run/,
    );
  });

  it("keeps the last copies and the best, also over a resume", async () => {
    const directory = folder();
    const log = {
      logEverySteps: 2,
      checkpointEveryEpochs: 1,
      keepEveryEpochs: 0,
      keepLast: 2,
      keepBestMetric: "loss",
      ...noLoggerSettings,
    };
    const { experiment } = tinyProgram();
    const optimizer = { ...experiment.optimizer, epochs: 5, stepsPerEpoch: 2 };
    // Two micro-batches a step, two steps an epoch: the third epoch is the best.
    const given = { experiment: { log, optimizer }, lossAt: (call: number) => (call >= 8 && call < 12 ? -9 : null) };
    await runIn(directory, { ...given, flags: { stopAtStep: 7 } });
    const kept = (): string[] => readdirSync(directory).filter((name) => /-(ep\d+|best)\./.test(name));
    expect(kept().sort()).toEqual(["tiny-best.safetensors", "tiny-ep2.safetensors", "tiny-ep3.safetensors"]);
    await runIn(directory, { experiment: given.experiment, flags: { resume } });
    expect(kept().sort()).toEqual(["tiny-best.safetensors", "tiny-ep4.safetensors", "tiny-ep5.safetensors"]);
    const best = await readCheckpointMetadata(join(directory, "tiny-best.safetensors"));
    expect(best.progress).toMatchObject({ epoch: 3, step: 6 });
  });

  it("does nothing but end where all steps are done", async () => {
    const directory = folder();
    await runIn(directory);
    const before = readFileSync(join(directory, latest));
    const { code, engine, text } = await runIn(directory, { flags: { resume } });
    expect([code, engine.calls]).toEqual([0, []]);
    expect(text).toContain("All 10 steps were done before.");
    expect(readFileSync(join(directory, latest)).equals(before)).toBe(true);
  });
});

describe("--resume=auto", () => {
  const auto: TrainerFlags["resume"] = { from: "auto" };

  it("begins a run where there is none, and goes on with one where there is", async () => {
    const [whole, directory] = [folder(), folder()];
    await runIn(whole);
    const begun = await runIn(directory, { flags: { resume: auto, stopAtStep: 7 } });
    expect(begun.text).not.toContain("going on from");
    const ended = await runIn(directory, { flags: { resume: auto } });
    expect(ended.text).toContain("after step 7");
    expect(readFileSync(join(directory, latest)).equals(readFileSync(join(whole, latest)))).toBe(true);
  });
});
