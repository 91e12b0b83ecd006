import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { IJepaExperiment } from "../../../runtime/experiment";
import type { TrainerEnvironment } from "../../../runtime/loop/environment";
import { fakeImages, tinyProgram } from "./fake";
import { events, folder, latest, losses, resume, runIn, stepsAndEpochs } from "./running";

describe("a run that fails", () => {
  const bad: readonly [what: string, kind: "step" | "accumulate", call: number, value: number][] = [
    ["NaN", "step", 7, Number.NaN],
    ["infinity", "accumulate", 15, Number.POSITIVE_INFINITY],
  ];
  it.each(bad)("by a loss of %s stops and keeps its last good checkpoint", async (_, kind, call, value) => {
    const [whole, directory] = [folder(), folder()];
    await runIn(whole, { kind, flags: { stopAtStep: 5 } });
    const good = readFileSync(join(whole, latest));
    const failing = runIn(directory, { kind, lossAt: (at) => (at === call ? value : null) });
    await expect(failing).rejects.toThrow(
      /The loss at step 8 is (NaN|Infinity), with learning rate [\d.e-]+\. Training stopped\. The last good checkpoint is .*, after step 5; it is untouched\./,
    );
    expect(readFileSync(join(directory, latest)).equals(good)).toBe(true);
    expect(events(directory).at(-1)).toMatchObject({ event: "end", step: 7, reason: "failed", code: "R120" });
  });

  it("names the images of the batch, in the message and in the log", async () => {
    const directory = folder();
    const environment: Partial<TrainerEnvironment> = {
      openImages: async ({ experiment, fromStep }) => ({
        ...fakeImages(experiment, fromStep),
        names: (step) => Array.from({ length: 9 }, (_, i) => `${step}/${i}.png`),
      }),
    };
    await expect(runIn(directory, { environment, lossAt: (at) => (at === 14 ? Number.NaN : null) })).rejects.toThrow(
      "\nIts images: 7/0.png, 7/1.png, 7/2.png, 7/3.png, 7/4.png, 7/5.png, 7/6.png, 7/7.png and 1 more, named in log.jsonl.",
    );
    expect(events(directory).at(-2)).toMatchObject({ event: "notFinite", step: 8, what: "The loss", value: "NaN" });
    expect(events(directory).at(-2)?.images).toHaveLength(9);
  });

  describe.each(["step", "accumulate"] as const)("with steps that may be skipped (%s)", (kind) => {
    const { optimizer } = tinyProgram().experiment;
    const perStep = kind === "step" ? 1 : 2;
    const skipping = (skipNonFinite: number): Partial<IJepaExperiment> => ({
      optimizer: {
        ...optimizer,
        skipNonFinite,
        ...(kind === "step" ? { accumulation: 1, deviceBatch: optimizer.globalBatch } : {}),
      },
    });
    /** The steps, from 0, whose loss is no number. */
    const failing =
      (...steps: readonly number[]) =>
      (call: number): number | null =>
        steps.includes(Math.floor(call / perStep)) ? Number.NaN : null;

    it("goes on with the state as it was, and counts them", async () => {
      const [directory, parts] = [folder(), folder()];
      const { text } = await runIn(directory, { kind, experiment: skipping(2), lossAt: failing(0, 6) });
      expect(events(directory).filter(({ event }) => event === "notFinite")).toMatchObject([
        { step: 1, what: "The loss", value: "NaN", skipped: 1 },
        { step: 7, skipped: 2 },
      ]);
      expect(text).toContain("step 7: The loss is NaN; skipped, as 2 of at most 2 in this run.");
      expect(losses(directory)).toHaveLength(11);
      expect(events(directory).find(({ event }) => event === "epoch")?.loss).toBeGreaterThan(0);
      // Stopped right after a step that was skipped, and gone on with: the same to the bit.
      await runIn(parts, { kind, experiment: skipping(2), lossAt: failing(0, 6), flags: { stopAtStep: 7 } });
      await runIn(parts, { kind, experiment: skipping(2), flags: { resume } });
      expect(readFileSync(join(parts, latest)).equals(readFileSync(join(directory, latest)))).toBe(true);
      expect(stepsAndEpochs(parts)).toEqual(stepsAndEpochs(directory));
    });

    it("ends where one more is met, also over a resume", async () => {
      const directory = folder();
      await runIn(directory, { kind, experiment: skipping(1), lossAt: failing(2), flags: { stopAtStep: 4 } });
      await expect(
        runIn(directory, { kind, experiment: skipping(1), lossAt: failing(2), flags: { resume } }),
      ).rejects.toThrow(/The loss at step 7 is NaN.* 1 such steps were skipped before, and no more may be\./);
    });

    it("changes nothing where all is well", async () => {
      const [plain, directory] = [folder(), folder()];
      await runIn(plain, { kind, experiment: skipping(0) });
      await runIn(directory, { kind, experiment: skipping(3) });
      expect(losses(directory)).toEqual(losses(plain));
    });
  });

  it("for want of images saves the steps it has done", async () => {
    const [whole, directory] = [folder(), folder()];
    await runIn(whole);
    const environment: Partial<TrainerEnvironment> = {
      openImages: async ({ experiment, fromStep }) => fakeImages(experiment, fromStep, 15),
    };
    await expect(runIn(directory, { environment })).rejects.toThrow("the disk is gone");
    expect(events(directory).slice(-2)).toMatchObject([
      { event: "checkpoint", step: 7 },
      { event: "end", step: 7, reason: "failed", message: "the disk is gone" },
    ]);
    await runIn(directory, { flags: { resume } });
    expect(readFileSync(join(directory, latest)).equals(readFileSync(join(whole, latest)))).toBe(true);
  });
});
