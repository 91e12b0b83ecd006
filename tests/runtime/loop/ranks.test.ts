/** The loop on several ranks that meet in this process: one run folder, one end, one reason. */
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { TrainerFlags } from "../../../runtime/cli";
import { createEpochOrder } from "../../../runtime/data/order";
import { imagesUnreadable } from "../../../runtime/errors";
import { run } from "../../../runtime/loop/run";
import { stopForAll } from "../../../runtime/loop/signals";
import type { Communicator } from "../../../runtime/ranks/communicator";
import type { RunRanks } from "../../../runtime/ranks/run-ranks";
import { isKnownToAll, together } from "../../../runtime/ranks/together";
import { firstImageOf } from "../../../runtime/step/share";
import { noLoggerSettings } from "../../support/no-loggers";
import { onRanks } from "../../support/ranks";
import { fakeEngine, fakeEnvironment, tinyProgram } from "./fake";

const runRanks = (communicator: Communicator): RunRanks => ({
  ...communicator,
  cores: 1,
  localRank: 0,
  ranksHere: 1,
  devices: 1,
  stepping: () => {},
  during: (_what, _limitMs, work) => work(),
  whenFault: () => {},
});

const flags = (runDirectory: string, stopAtStep: number | null = null) => ({
  dataRoot: ".",
  runDirectory,
  resume: { from: "nothing" as const },
  initFrom: null,
  stopAtStep,
  floors: [],
  logEverySteps: 2,
  logEveryGiven: true,
  loggers: noLoggerSettings,
  threads: 1,
  workers: 1,
  progress: false,
  quiet: false,
  pjrtPlugin: null,
});

const rows = (folder: string): string[] => readFileSync(join(folder, "log.csv"), "utf8").trimEnd().split("\n").slice(1);
const newFolder = (): string => mkdtempSync(join(tmpdir(), "ijepa-ranks-"));

describe("a run on several ranks", () => {
  it("has one folder, which rank 0 writes, with the mean loss of all", async () => {
    const folder = newFolder();
    const outs = await onRanks(3, async (communicator) => {
      const engine = fakeEngine((call) => call + communicator.rank);
      const environment = fakeEnvironment(engine);
      const code = await run(tinyProgram(), flags(folder), environment, runRanks(communicator));
      return { code, calls: engine.calls.length };
    });
    expect(outs.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(new Set(outs.map(({ calls }) => calls)).size).toBe(1);
    expect(readdirSync(folder).sort()).toEqual(["experiment.json", "log.csv", "log.jsonl", "tiny-latest.safetensors"]);
    // Two micro-batches a step: calls 2s and 2s + 1, and ranks 0 to 2.
    expect(rows(folder).map((row) => Number(row.split(",")[2]))).toEqual(
      Array.from({ length: 10 }, (_, step) => 2 * step + 0.5 + 1),
    );
  });

  it("ends on all where the loss is not finite on one", async () => {
    const folder = newFolder();
    const ended = onRanks(2, (communicator) => {
      const engine = fakeEngine((call) => (communicator.rank === 1 && call === 6 ? Number.NaN : 1));
      return run(tinyProgram(), flags(folder), fakeEnvironment(engine), runRanks(communicator));
    });
    await expect(ended).rejects.toThrow(/step 4/);
  });

  it("begins on none where its images are not there on one", async () => {
    const failures = await onRanks(2, async (communicator) => {
      const environment = fakeEnvironment(fakeEngine(), {
        ...(communicator.rank === 1 && {
          openImages: async () => {
            throw imagesUnreadable({ file: "a.jpg", why: "it is broken", drawn: 64 });
          },
        }),
      });
      return run(tinyProgram(), flags(newFolder()), environment, runRanks(communicator)).catch((error: Error) => {
        expect(isKnownToAll(error)).toBe(true);
        return error.message;
      });
    });
    expect(failures[0]).toMatch(/^The run ends because rank 1 on host1 \(process \d+\) failed: R137: a\.jpg/);
    expect(failures[1]).toMatch(/^a\.jpg/);
  });

  it("evaluates on all ranks at the same places, also what a killed run owed", async () => {
    const folder = newFolder();
    const { schedule, evaluation } = tinyProgram().experiment;
    const program = tinyProgram({ evaluation: { ...evaluation, everyEpochs: 1 } });
    const start = (stopAtStep: number | null, resume: TrainerFlags["resume"]) =>
      onRanks(2, async (communicator) => {
        const evaluatedAt: string[] = [];
        const meets = async (what: string): Promise<null> => {
          evaluatedAt.push(what);
          // Fails where the other rank is anywhere else.
          await communicator.barrier();
          return null;
        };
        const environment = fakeEnvironment(fakeEngine(), {
          openEvaluation: async () => ({ now: () => meets("now"), final: () => meets("final") }),
        });
        await run(program, { ...flags(folder, stopAtStep), resume }, environment, runRanks(communicator));
        return evaluatedAt.join();
      });
    const { stepsPerEpoch } = program.experiment.optimizer;
    expect(await start(stepsPerEpoch, { from: "nothing" })).toEqual(["now", "now"]);
    // Its log knows of no report, as both gave null, so that it is made up for.
    const epochs = schedule.steps / stepsPerEpoch;
    const wanted = [...new Array(epochs - 1).fill("now"), "final"].join();
    expect(await start(null, { from: "auto" })).toEqual([wanted, wanted]);
  });

  it("gives what each rank found where all went well", async () => {
    expect(await onRanks(3, (ranks) => together(ranks, "a test", () => ranks.rank * 2))).toEqual([0, 2, 4]);
  });

  it("stops for the same reason on all, whichever was asked", async () => {
    const asked = [null, "SIGTERM", "floor"] as const;
    expect(await onRanks(3, (ranks) => stopForAll(ranks, asked[ranks.rank] ?? null))).toEqual(Array(3).fill("SIGTERM"));
    expect(await onRanks(2, (ranks) => stopForAll(ranks, null))).toEqual([null, null]);
  });
});

it("N devices see the images of one device with the same global batch, each once", () => {
  const order = createEpochOrder({ seed: 3, images: 64 });
  const globalBatch = 16;
  const whole = [...order.images({ epoch: 0, from: 0, count: globalBatch })];
  for (const [size, accumulation] of [
    [1, 2],
    [2, 1],
    [2, 4],
    [8, 2],
    [16, 1],
  ] as const) {
    const deviceBatch = globalBatch / (size * accumulation);
    const seen = Array.from({ length: accumulation }, (_, microStep) =>
      Array.from({ length: size }, (_, rank) => {
        const from = firstImageOf({ microStep, deviceBatch }, { rank, size });
        return [...order.images({ epoch: 0, from, count: deviceBatch })];
      }),
    );
    expect(seen.flat(2)).toEqual(whole);
  }
});
