import { existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readCheckpointMetadata } from "../../../runtime/checkpoint/checkpoint";
import type { TrainerFlags } from "../../../runtime/cli";
import type { EvaluationReport } from "../../../runtime/evaluate/evaluation-report";
import type { Experiment } from "../../../runtime/experiment";
import type { TrainerEnvironment } from "../../../runtime/loop/environment";
import { run } from "../../../runtime/loop/run";
import { noLoggerSettings } from "../../support/no-loggers";
import { type FakeEngine, fakeEngine, fakeEnvironment, fakeImages, tinyProgram } from "./fake";

const folder = (): string => mkdtempSync(join(tmpdir(), "ijepa-run-"));

function flags(runDirectory: string, changes: Partial<TrainerFlags> = {}): TrainerFlags {
  return {
    dataRoot: ".",
    runDirectory,
    resume: { from: "nothing" },
    initFrom: null,
    stopAtStep: null,
    floors: [],
    logEverySteps: 2,
    logEveryGiven: true,
    loggers: noLoggerSettings,
    threads: 1,
    workers: 1,
    pjrtPlugin: null,
    progress: false,
    quiet: false,
    ...changes,
  };
}

interface Ran {
  readonly code: number;
  readonly engine: FakeEngine;
  readonly text: string;
}

async function runIn(
  directory: string,
  given: {
    readonly flags?: Partial<TrainerFlags>;
    readonly experiment?: Partial<Experiment>;
    readonly environment?: Partial<TrainerEnvironment>;
    readonly kind?: "step" | "accumulate";
    readonly lossAt?: (call: number) => number | null;
  } = {},
): Promise<Ran> {
  const engine = fakeEngine(given.lossAt);
  const environment = fakeEnvironment(engine, given.environment);
  const program = tinyProgram(given.experiment, given.kind);
  const code = await run(program, flags(directory, given.flags), environment);
  return { code, engine, text: environment.out.text };
}

const resume = { from: "latest" } as const;
const latest = "tiny-latest.safetensors";
const read = (directory: string, file: string): string => readFileSync(join(directory, file), "utf8");
/** The CSV without its times, which no two runs share. */
const losses = (directory: string): string[] =>
  read(directory, "log.csv")
    .trimEnd()
    .split("\n")
    .map((row) => row.split(",").slice(0, 5).join(","));
interface Logged {
  readonly event: string;
  readonly step: number;
  readonly [key: string]: unknown;
}
const events = (directory: string): Logged[] =>
  read(directory, "log.jsonl")
    .trimEnd()
    .split("\n")
    .map((line): Logged => JSON.parse(line));
const timeless = ({ timeMs, dataMs, imagesPerSecond, ...rest }: Logged): unknown => rest;
const stepsAndEpochs = (directory: string): unknown[] =>
  events(directory)
    .filter(({ event }) => event === "step" || event === "epoch")
    .map(timeless);

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

describe("a run that cannot start", () => {
  it("where there is one already", async () => {
    const directory = folder();
    await runIn(directory, { flags: { stopAtStep: 3 } });
    await expect(runIn(directory)).rejects.toThrow(/already holds a run, at step 3 of 10\. Add --resume/);
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
    const skipping = (skipNonFinite: number): Partial<Experiment> => ({
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

describe("evaluation", () => {
  const report: EvaluationReport = {
    trainImages: 8,
    validationImages: 8,
    testImages: 8,
    neighbours: 3,
    tasks: [{ name: "count", classes: 2, chance: 0.5 }],
    rows: [
      {
        representation: "target encoder",
        dimension: 8,
        tasks: [{ linearProbe: 0.75, knn: 0.625, l2: 1 }],
        collapse: null,
      },
    ],
  };
  const environment = (asked: string[]): Partial<TrainerEnvironment> => ({
    openEvaluation: async () => ({
      now: async () => {
        asked.push("now");
        return report;
      },
      final: async () => {
        asked.push("final");
        return report;
      },
    }),
  });

  it("comes every few epochs, and in full at the end", async () => {
    const [directory, asked] = [folder(), [] as string[]];
    const { text } = await runIn(directory, { environment: environment(asked) });
    expect(asked).toEqual(["now", "final"]);
    expect(text).toContain("epoch 1: count: linear probe 75.0 %, k-NN 62.5 %");
    expect(text).toMatch(/target encoder +75\.0 +62\.5/);
    const evaluations = events(directory).filter(({ event }) => event === "evaluation");
    expect(evaluations).toEqual([
      { event: "evaluation", step: 5, epoch: 1, report },
      { event: "evaluation", step: 10, epoch: 2, report },
    ]);
  });

  it("is made up for by a run that goes on from a checkpoint after which it was killed", async () => {
    const [directory, asked] = [folder(), [] as string[]];
    const killed = { ...environment([]), openEvaluation: async () => null };
    await runIn(directory, { environment: killed, flags: { stopAtStep: 5 } });
    const floors = [{ metric: "count.knn", epoch: 1, value: 0.7, goal: "max" }] as const;
    const given = { environment: environment(asked), flags: { resume, floors } };
    const { engine, text } = await runIn(directory, given);
    expect(asked).toEqual(["now"]);
    expect(engine.calls).toEqual([]);
    expect(text).toContain("count.knn is 0.625 after epoch 1, and goes on with at least 0.7");
    expect(events(directory).at(-1)).toMatchObject({ event: "end", step: 5, reason: "floor" });
  });

  it("has no such metric for a floor", async () => {
    const floors = [{ metric: "colour.knn", epoch: 1, value: 0.7, goal: "max" }] as const;
    const failing = runIn(folder(), { environment: environment([]), flags: { floors } });
    await expect(failing).rejects.toThrow(/no such metric\. It has loss, count\.linearProbe, count\.knn\.$/);
  });

  it("waits for the end of the run where it stops early", async () => {
    const asked: string[] = [];
    const { text } = await runIn(folder(), { environment: environment(asked), flags: { stopAtStep: 7 } });
    expect(asked).toEqual(["now"]);
    expect(text).toMatch(
      /Stopped after step 7 of 10\. Saved in .*\nTo go on:\n {2}node \/somewhere\/train\.js --resume/,
    );
  });
});
