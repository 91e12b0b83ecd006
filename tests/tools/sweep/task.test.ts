import { describe, expect, it } from "vitest";
import { taskOf } from "../../../tools/sweep/task";
import { fakePoint, fakeSweep } from "./fake";
import { fakeSpec } from "./fake-spec";

const folders = { out: "generated", runs: "runs" };
const flat = (words: readonly string[]): string => words.join(" ");
const fixed = "node generated/fake/fake-p0/train.js --run-dir runs/fake/fake-p0 --resume=auto --no-progress";

describe("the command of a point", () => {
  const point = fakePoint(0);

  it("is the same however often it is started", () => {
    const task = taskOf(fakeSweep(1), point, { folders, threads: null, flags: [] });
    expect(flat(task.command)).toBe(fixed);
    expect(task.runDirectory).toBe("runs/fake/fake-p0");
  });

  it("has threads where the sweep gives them, and the person's flags last", () => {
    const task = taskOf(fakeSweep(1), point, { folders, threads: 3, flags: ["--data", "/my images"] });
    expect(task.command.slice(-4)).toEqual(["--threads", "3", "--data", "/my images"]);
  });

  it("has the floors that come before the end of this run", () => {
    const stop = {
      rule: "floor",
      floors: [
        { epoch: 1, value: 0.5 },
        { epoch: 2, value: 0.4 },
      ],
    } as const;
    const commandOf = (epochs: number, goal: "max" | "min"): string =>
      flat(
        taskOf(fakeSweep(1, { stop, metric: { name: "loss", goal } }), fakePoint(0, { spec: fakeSpec("a", epochs) }), {
          folders,
          threads: null,
          flags: [],
        }).command,
      );
    expect(commandOf(3, "min")).toBe(`${fixed} --floor loss@1=0.5 --floor loss@2=0.4`);
    expect(commandOf(2, "max")).toBe(`${fixed} --floor loss@1>=0.5`);
    expect(commandOf(1, "min")).toBe(fixed);
  });
});
