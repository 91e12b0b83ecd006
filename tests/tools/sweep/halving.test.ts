import { appendFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { PointTask } from "../../../tools/sweep/executors/executor";
import { runFolder, type SweepFolders } from "../../../tools/sweep/folders";
import { type HalvingRule, rank, runHalving } from "../../../tools/sweep/halving";
import { readRecord } from "../../../tools/sweep/record";
import { stateOf } from "../../../tools/sweep/state";
import type { Sweep, SweepPoint } from "../../../tools/sweep/sweep";
import { end, epoch, fakeFolders, fakePoint, fakeSweep, generator, recordRun, start, writeRun } from "./fake";
import { fakeSpec } from "./fake-spec";

const epochs = 4;
const rule: HalvingRule = { rule: "halving", epochs: [1, 2], keep: 0.5 };

/** Points whose loss is always `losses[index]`; `null` fails in its first epoch. */
function setting(losses: readonly (number | null)[], folders: SweepFolders = fakeFolders()) {
  const points = losses.map((_, index) => fakePoint(index, { spec: fakeSpec(`fake-p${index}`, epochs) }));
  const sweep: Sweep = fakeSweep(0, { points, stop: rule });
  const trained: string[] = [];
  const notes: string[] = [];
  const conditionOf = (point: SweepPoint) => stateOf(runFolder(folders, sweep, point), { spec: point.hash, generator });
  /** What a trainer does with --resume=auto and --steps. */
  const train = ({ point, runDirectory, command }: PointTask): void => {
    const steps = command.includes("--steps") ? Number(command.at(-1)) : 5 * epochs;
    trained.push(`${point.name} ${steps}`);
    const loss = losses[point.index] ?? null;
    if (!existsSync(join(runDirectory, "log.jsonl"))) writeRun(runDirectory, [start()]);
    const log = (event: object): void => appendFileSync(join(runDirectory, "log.jsonl"), `${JSON.stringify(event)}\n`);
    if (loss === null) {
      log(end(0, "failed", { message: "no" }));
      return;
    }
    for (let done = 1; done <= steps / 5; done++) log(epoch(done, loss));
    log(end(steps, steps === 5 * epochs ? "complete" : "steps"));
  };
  const state = { stopping: false };
  const run = async (stopAfter = Number.POSITIVE_INFINITY): Promise<void> => {
    const open = points.filter((point) => !["finished", "stopped"].includes(conditionOf(point).state));
    const tasks = new Map(
      open.map((point) => {
        const runDirectory = recordRun(sweep, point, folders);
        return [point.name, { task: { point, runDirectory, command: ["node"] }, stepsPerEpoch: 5, steps: 5 * epochs }];
      }),
    );
    state.stopping = false;
    await runHalving({
      sweep,
      rule,
      folders,
      points,
      tasks,
      run: async (some) => {
        for (const task of some) {
          if (trained.length >= stopAfter) state.stopping = true;
          else train(task);
        }
      },
      isStopping: () => state.stopping,
      isFailed: (point) => conditionOf(point).state === "failed",
      note: (line) => notes.push(line),
      decided: () => {},
    });
  };
  const states = (): unknown => points.map((point) => conditionOf(point).state);
  const messages = (): unknown => points.map((point) => conditionOf(point).message);
  return { run, trained, notes, states, messages, points, sweep, folders };
}

describe("successive halving", () => {
  it("trains all to the first epoch, the best half to the second, and so on", async () => {
    const { run, trained, notes, states, messages } = setting([4, 1, 3, 2]);
    await run();
    expect(trained).toEqual([
      ...["fake-p0 5", "fake-p1 5", "fake-p2 5", "fake-p3 5"],
      ...["fake-p1 10", "fake-p3 10"],
      "fake-p1 20",
    ]);
    expect(states()).toEqual(["stopped", "finished", "stopped", "stopped"]);
    expect(messages()).toEqual([
      "halving: rank 4 of 4 at epoch 1",
      null,
      "halving: rank 3 of 4 at epoch 1",
      "halving: rank 2 of 2 at epoch 2",
    ]);
    expect(notes[0]).toBe("epoch 1: 2 of 4 points go on, by loss");
  });

  it("keeps the share rounded up, and of equals the earlier one", async () => {
    const { run, states } = setting([1, 1, 1]);
    await run();
    expect(states()).toEqual(["finished", "stopped", "stopped"]);
  });

  it("ranks a point that failed last, and decides nothing about it", async () => {
    const { run, states, points, sweep, folders } = setting([null, 2, 1, null]);
    await run();
    expect(states()).toEqual(["failed", "stopped", "finished", "failed"]);
    expect(points.map((point) => readRecord(runFolder(folders, sweep, point))?.rungs.length)).toEqual([0, 2, 2, 0]);
  });

  it("decides the same when it is interrupted and goes on", async () => {
    const whole = setting([4, 1, 3, 2]);
    await whole.run();
    for (const after of [1, 3, 4, 5, 6]) {
      const broken = setting([4, 1, 3, 2]);
      await broken.run(after);
      await broken.run();
      expect(broken.trained).toEqual(whole.trained);
      expect(broken.messages()).toEqual(whole.messages());
    }
  });

  it("keeps its decisions where a point that failed is mended later", async () => {
    const folders = fakeFolders();
    const first = setting([null, 2, 3, 4], folders);
    await first.run();
    expect(first.states()).toEqual(["failed", "finished", "stopped", "stopped"]);
    // Now it would be the best: it goes on, and nobody else is called back.
    const second = setting([1, 2, 3, 4], folders);
    await second.run();
    expect(second.trained).toEqual(["fake-p0 5", "fake-p0 10", "fake-p0 20"]);
    expect(second.states()).toEqual(["finished", "finished", "stopped", "stopped"]);
  });

  it("does not compare before all are there", async () => {
    const { run, trained, points, sweep, folders } = setting([4, 1, 3, 2]);
    await run(2);
    expect(trained).toHaveLength(2);
    expect(points.flatMap((point) => readRecord(runFolder(folders, sweep, point))?.rungs ?? [])).toEqual([]);
  });
});

describe("ranks", () => {
  const entries = [0.3, null, 0.5, 0.3, Number.NaN].map((value, index) => ({ point: fakePoint(index), value }));
  const order = (goal: "max" | "min"): unknown => rank(entries, goal).map(({ point }) => point.index);
  it("are best first, what is unknown last", () => {
    expect(order("max")).toEqual([2, 0, 3, 1, 4]);
    expect(order("min")).toEqual([0, 3, 2, 1, 4]);
  });
});
