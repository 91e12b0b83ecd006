import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { LogEvent } from "../../../runtime/report/jsonl";
import { moveAside } from "../../../tools/sweep/prepare";
import { addRung, readRecord, recordRun as recordAgain, recordOf } from "../../../tools/sweep/record";
import { type PointCondition, stateOf } from "../../../tools/sweep/state";
import { end, epoch, fakeFolders, fakeSweep, generator, recordRun, start, step, writeRun } from "./fake";

const sweep = fakeSweep(1);
const [point] = sweep.points;
if (point === undefined) throw new Error("no point");
const expected = { spec: point.hash, generator };
const recorded = (): string => recordRun(sweep, point, fakeFolders());
const ofRun = (events: readonly LogEvent[]): PointCondition => {
  const folder = recorded();
  writeRun(folder, events);
  return stateOf(folder, expected);
};

const toStep = (number: number): readonly LogEvent[] => [
  start(),
  ...Array.from({ length: number }, (_, index) => step(index + 1, 1 / (index + 1))),
];

describe("the state of a point", () => {
  const cases: readonly [state: string, events: readonly LogEvent[], message: string | null][] = [
    ["finished", [...toStep(10), end(10, "complete")], null],
    ["stopped", [...toStep(5), end(5, "floor", { message: "loss is 3" })], "loss is 3"],
    ["failed", [...toStep(3), end(3, "failed", { code: "R120", message: "The loss is NaN" })], "The loss is NaN"],
    ["failed", [end(0, "failed", { message: "no engine" })], "no engine"],
    ["interrupted", [...toStep(3), end(3, "SIGTERM")], "stopped by SIGTERM"],
    ["interrupted", [...toStep(5), end(5, "steps")], "stopped at the step that was asked for"],
    ["interrupted", toStep(3), "ended without a word: killed, or its machine stopped"],
    [
      "interrupted",
      [...toStep(3), end(3, "failed", { message: "x" }), start(3)],
      "ended without a word: killed, or its machine stopped",
    ],
    ["finished", [...toStep(3), end(3, "SIGINT"), start(3), step(10, 1), end(10, "complete")], null],
  ];
  it.each(cases)("is %s by its log", (state, events, message) => {
    expect(ofRun(events)).toMatchObject({ state, message });
  });

  it("is waiting before anything began, recorded or not", () => {
    expect(stateOf(recorded(), expected)).toMatchObject({ state: "waiting", message: null, progress: { step: 0 } });
    expect(stateOf(join(fakeFolders().runs, "nowhere"), expected).state).toBe("waiting");
  });

  it("is running while a trainer holds the folder", () => {
    const folder = recorded();
    const held = { pid: process.ppid, host: hostname(), began: null };
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "lock.json"), JSON.stringify(held));
    const message = `process ${process.ppid} on ${hostname()}`;
    expect(stateOf(folder, expected)).toMatchObject({ state: "running", message });
    writeRun(folder, [...toStep(3), end(3, "SIGINT"), start(3), step(4, 0.25)]);
    expect(stateOf(folder, expected)).toMatchObject({ state: "running", progress: { step: 4, steps: 10, loss: 0.25 } });
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    writeFileSync(join(folder, "lock.json"), JSON.stringify({ ...held, pid }));
    expect(stateOf(folder, expected).state).toBe("interrupted");
  });

  it("is stale where its spec or the generator is another one", () => {
    const folder = recorded();
    writeRun(folder, [...toStep(10), end(10, "complete")]);
    const state = (changes: Partial<typeof expected>): unknown => {
      const { state, message } = stateOf(folder, { ...expected, ...changes });
      return [state, message];
    };
    expect(state({})).toEqual(["finished", null]);
    expect(state({ spec: "0" })).toEqual(["stale", "the spec changed since"]);
    expect(state({ generator: "0" })).toEqual(["stale", "the generator changed since"]);
    writeFileSync(join(folder, "point.json"), "{ half of");
    expect(state({})).toEqual(["stale", "the folder holds a run, but no point.json"]);
  });

  it("tells how far it is, and for how long", () => {
    const events = [...toStep(7), epoch(1, 0.5)].map((event) =>
      event.event === "step" && event.step === 1 ? { ...event, imagesPerSecond: 1 } : event,
    );
    // Three steps of 16 images at 100 images a second; the first step of a process says nothing of the others.
    const progress = { step: 7, steps: 10, epoch: 2, epochs: 2, loss: 1 / 7, imagesPerSecond: 100, leftMs: 480 };
    expect(ofRun(events).progress).toEqual(progress);
  });

  it("reads the end of a long log, and past a torn line", () => {
    const folder = recorded();
    writeRun(folder, toStep(2000));
    appendFileSync(join(folder, "log.jsonl"), '{"event":"step","st');
    expect(stateOf(folder, expected)).toMatchObject({ state: "interrupted", progress: { step: 2000 } });
    appendFileSync(join(folder, "log.jsonl"), `\n${JSON.stringify(end(2000, "complete"))}\n`);
    expect(stateOf(folder, expected).state).toBe("finished");
  });
});

describe("what halving decided", () => {
  const rung = { epoch: 1, value: 0.5, rank: 3, of: 4, goesOn: false };

  it("stays with the point", () => {
    const folder = recorded();
    writeRun(folder, [...toStep(5), end(5, "steps")]);
    addRung(folder, { ...rung, rank: 1, goesOn: true });
    expect(stateOf(folder, expected).state).toBe("interrupted");
    addRung(folder, rung);
    expect(stateOf(folder, expected)).toMatchObject({ state: "stopped", message: "halving: rank 3 of 4 at epoch 1" });
    expect(readRecord(folder)?.rungs).toHaveLength(2);
    // The sweep is called again: the point is the same, and so is what was decided; with another spec it is another one.
    recordAgain(folder, recordOf(sweep, point, generator));
    expect(readRecord(folder)?.rungs).toHaveLength(2);
    recordAgain(folder, recordOf(sweep, { ...point, hash: "another" }, generator));
    expect(readRecord(folder)?.rungs).toEqual([]);
  });

  it("is nothing where there is no record", () => {
    const folder = join(fakeFolders().runs, "nowhere");
    addRung(folder, rung);
    expect(existsSync(folder)).toBe(false);
    expect(readRecord(folder)).toBe(null);
  });
});

describe("a run that is in the way", () => {
  it("is moved aside, never over another one", () => {
    const folder = recorded();
    expect(moveAside(folder)).toBe(`${folder}.1`);
    expect(existsSync(folder)).toBe(false);
    recordAgain(folder, recordOf(sweep, point, generator));
    expect(moveAside(folder)).toBe(`${folder}.2`);
    expect(existsSync(`${folder}.1`)).toBe(true);
  });
});
