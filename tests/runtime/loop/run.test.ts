import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { TrainerFlags } from "../../../runtime/cli";
import type { TrainerEnvironment } from "../../../runtime/loop/environment";
import { fakeEngine, fakeImages } from "./fake";
import { events, folder, latest, losses, read, resume, runIn } from "./running";

describe("a run", () => {
  it("goes through its steps in order and leaves its files", async () => {
    const directory = folder();
    const { code, engine, text } = await runIn(directory);
    expect(code).toBe(0);
    expect(engine.calls).toEqual(Array.from({ length: 10 }, () => ["accumulate", "accumulate", "update"]).flat());
    expect(losses(directory)).toHaveLength(11);
    expect(losses(directory)[6]).toMatch(/^2,0,\d\.\d{5},4\.00000,4\.00000$/);
    expect(events(directory).map(({ event, step }) => `${event} ${step}`)).toEqual([
      "start 0",
      "step 2",
      "step 4",
      "epoch 5",
      "checkpoint 5",
      "step 6",
      "step 8",
      "step 10",
      "epoch 10",
      "checkpoint 10",
      "end 10",
    ]);
    expect(readdirSync(directory).sort()).toEqual(["experiment.json", "log.csv", "log.jsonl", latest]);
    expect(JSON.parse(read(directory, "experiment.json"))).toMatchObject({ name: "tiny", seed: 7 });
    expect(text).toContain("step 10/10 · epoch 2/2 · loss ");
    expect(text).toContain("Done: 10 steps in ");
    expect(text).toContain(join(directory, latest));
    expect(text).toContain(`ijepa report ${directory}\n`);
    expect(text).toContain(`ijepa export ${directory} --format hf --out exports/tiny-hf\n`);
    expect(text).toContain('\n    model = IJepaModel.from_pretrained("exports/tiny-hf").eval()\n    features = ');
  });

  it("begins with the weights of another run, and is a run of its own", async () => {
    const [first, second] = [folder(), folder()];
    await runIn(first, { flags: { stopAtStep: 4 } });
    const initFrom = join(first, latest);
    const { code, text } = await runIn(second, { flags: { initFrom, stopAtStep: 5 } });
    expect(code).toBe(0);
    expect(text).toContain(`beginning with the weights of ${initFrom}`);
    expect(events(second)[0]).toMatchObject({ event: "start", step: 0 });
    const alone = folder();
    await runIn(alone, { flags: { stopAtStep: 5 } });
    expect(losses(second)).not.toEqual(losses(alone));
  });

  it("gives schedules, constants and drop path to the functions that read them", async () => {
    const { engine } = await runIn(folder(), { kind: "step", flags: { stopAtStep: 1 } });
    expect(engine.loaded.map(({ name, lengths }) => [name, lengths])).toEqual([["step", ["C", "T", "S", "U"]]]);
    expect([...(engine.loaded[0]?.inputs ?? [])].map(([path, { shape }]) => `${path} [${shape.join(",")}]`)).toEqual([
      "batch.images [2,3,16,16]",
      "batch.contextIndex [2,C]",
      "batch.targetIndex [2,U]",
      "batch.dropPath.0.attn [2]",
      "batch.dropPath.0.mlp [2]",
      "batch.dropPath.1.attn [2]",
      "batch.dropPath.1.mlp [2]",
      "schedule.stepSize []",
      "schedule.secondMoment []",
      "schedule.decayFactor []",
      "schedule.keep []",
      "schedule.take []",
      "constants.positions [16,8]",
      "constants.predictorPositions [16,8]",
      "constants.pixelMean [3]",
      "constants.pixelStd [3]",
    ]);
  });

  it("says nothing when it is told to be quiet", async () => {
    expect((await runIn(folder(), { flags: { quiet: true } })).text).toBe("");
  });
});

describe("a run that waits for its images", () => {
  it("says so at its end, and logs the share", async () => {
    const directory = folder();
    const slow: TrainerEnvironment["openImages"] = async ({ experiment, fromStep }) => {
      const images = fakeImages(experiment, fromStep);
      const next = async (): Promise<Uint8Array> => {
        // Holds the thread: a timer's own lateness would be no wait of the step.
        for (const end = performance.now() + 30; performance.now() < end; );
        return images.next();
      };
      return { ...images, next };
    };
    const { text } = await runIn(directory, { environment: { openImages: slow } });
    expect(text).toMatch(
      /^Training waited for images in \d+ % of its time\. The thread that trains prepared them too on \d+ core/m,
    );
    for (const event of ["epoch", "end"]) {
      const share = events(directory).findLast((one) => one.event === event)?.dataShare;
      expect(share).toBeGreaterThan(0.1);
      expect(share).toBeLessThanOrEqual(1);
    }
  });
});

describe("before the first step the memory of the machine is compared with what the step takes", () => {
  const GiB = 2 ** 30;
  const memory = { stateBytes: 2 * GiB, totalBytes: 10 * GiB };
  const accumulated = "1 image at a time: optimization.accumulation = 4";
  const cases: readonly [what: string, machineGiB: number, couldBeBf16: boolean, want: string | null][] = [
    ["it fits", 10, false, null],
    ["half of the images fit", 7, false, accumulated],
    ["bfloat16 takes less", 7, true, `${accumulated}; or hardware.precision = bf16, which takes less`],
    ["not one image fits", 2, false, "a smaller encoder: its weights and what is kept of them alone take 2.00 GiB"],
  ];
  it.each(cases)("%s", async (_, machineGiB, couldBeBf16, want) => {
    const { text, engine } = await runIn(folder(), {
      environment: { machineBytes: machineGiB * GiB, stepMemory: { ...memory, couldBeBf16 } },
      flags: { stopAtStep: 1 },
    });
    const line =
      "Warning: a step of 2 images takes more memory than this machine has: " +
      `about 10.0 GiB; there are ${machineGiB.toFixed(2)} GiB. What would fit: ${want}. Change the spec and compile it anew.\n`;
    expect(text.split("Warning")).toHaveLength(want === null ? 1 : 2);
    if (want !== null) expect(text.startsWith(line)).toBe(true);
    // It stops nothing.
    expect(engine.calls).toEqual(["accumulate", "accumulate", "update"]);
  });
});

describe("and the memory of the device, where it says how much it has", () => {
  const GiB = 2 ** 30;
  const stepMemory = { stateBytes: 2 * GiB, totalBytes: 10 * GiB };
  it.each([
    ["it fits", 10, null],
    ["half of the images fit", 7, "1 image at a time: optimization.accumulation = 4"],
  ])("%s", async (_, deviceGiB, want) => {
    const engine = fakeEngine();
    const deviceMemory = () => ({ inUse: 0, peak: 0, limit: deviceGiB * GiB });
    const { text } = await runIn(folder(), {
      environment: { stepMemory, createEngine: async () => ({ ...engine, deviceMemory }) },
      flags: { stopAtStep: 1 },
    });
    const line =
      "Warning: a step of 2 images takes more memory than the device has: " +
      `about 10.0 GiB; there are ${deviceGiB.toFixed(2)} GiB. What would fit: ${want}.`;
    expect(text.split("Warning")).toHaveLength(want === null ? 1 : 2);
    if (want !== null) expect(text).toContain(line);
  });
});

describe("a run that cannot start", () => {
  it("where there is one already", async () => {
    const directory = folder();
    await runIn(directory, { flags: { stopAtStep: 3 } });
    await expect(runIn(directory)).rejects.toThrow(/already holds a run, at step 3 of 10\. Add --resume/);
  });

  it.each<[string, Partial<TrainerFlags>]>([
    ["without --resume", {}],
    ["with --resume", { resume }],
    ["with --resume=auto", { resume: { from: "auto" } }],
  ])("where there is one of another experiment, %s, and leaves its logs alone", async (_, flags) => {
    const directory = folder();
    await runIn(directory, { flags: { stopAtStep: 3 } });
    const logs = () => ["log.csv", "log.jsonl", "experiment.json"].map((name) => read(directory, name));
    const before = logs();
    await expect(runIn(directory, { experiment: { name: "other" }, flags })).rejects.toThrow(
      /holds the run of another experiment \(tiny-latest\.safetensors\)\. Choose another folder with --run-dir/,
    );
    expect(logs()).toEqual(before);
  });

  it("where there is nothing to resume", async () => {
    await expect(runIn(folder(), { flags: { resume } })).rejects.toThrow(/there is no checkpoint in/);
    const path = join(folder(), "none.safetensors");
    await expect(runIn(folder(), { flags: { resume: { from: "path", path } } })).rejects.toThrow(/no checkpoint at/);
  });

  it("in a folder that is a file", async () => {
    await expect(runIn(join(fileURLToPath(import.meta.url), "x"))).rejects.toThrow(/cannot be written: .*--run-dir/);
  });

  it("gives its lock back", async () => {
    const directory = folder();
    await expect(runIn(directory, { flags: { resume } })).rejects.toThrow();
    expect(existsSync(join(directory, "lock.json"))).toBe(false);
  });
});

it("names an image that cannot be used once in the log and on the terminal, and counts by reason", async () => {
  const directory = folder();
  const environment: Partial<TrainerEnvironment> = {
    openImages: async ({ experiment, fromStep, badImage }) => {
      const images = fakeImages(experiment, fromStep);
      const next = async (): Promise<Uint8Array> => {
        if (images.taken === 4) badImage({ file: "cat/4.png", reason: "damaged", why: "no end" });
        return images.next();
      };
      return { ...images, next, badImages: () => (images.taken > 4 ? { damaged: 1 } : {}) };
    },
    openEvaluation: async ({ badImage }) => {
      badImage({ file: "held/1.jpg", reason: "missing", why: "no such file or folder" });
      return null;
    },
  };
  const { text } = await runIn(directory, { environment });
  expect(events(directory).filter(({ event }) => event === "badImage")).toEqual([
    expect.objectContaining({ step: 0, of: "evaluation", file: "held/1.jpg", reason: "missing" }),
    expect.objectContaining({ step: 2, of: "training", file: "cat/4.png", reason: "damaged", why: "no end" }),
  ]);
  expect(events(directory).find(({ event }) => event === "epoch")).toMatchObject({ badImages: { damaged: 1 } });
  expect(text).toContain("cat/4.png cannot be used: damaged (no end); another one takes its place.");
  expect(text).toContain("held/1.jpg cannot be used: missing (no such file or folder); the evaluation leaves it out.");
  expect(text).toContain("Images that could not be used and were replaced: 1 damaged.");
});
