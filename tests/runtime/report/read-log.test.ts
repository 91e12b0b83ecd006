import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { evenly, readLog, readLogFile } from "../../../runtime/report/read-log";

const step = (at: number): string =>
  JSON.stringify({ event: "step", step: at, epoch: 1, loss: 0.5, timeMs: 10, dataMs: 1, imagesPerSecond: 9 });
const epoch = (at: number): string => JSON.stringify({ event: "epoch", step: at, epoch: 1, loss: 0.25 });

describe("reading a log", () => {
  const cases: readonly [what: string, text: string, events: readonly string[]][] = [
    ["an empty file", "", []],
    ["whole lines in their order", `${step(1)}\n${epoch(1)}\n${step(2)}\n`, ["step 1", "epoch 1", "step 2"]],
    ["a torn last line", `${step(1)}\n${step(2).slice(0, 30)}`, ["step 1"]],
    ["a torn line before a resume", `${step(1).slice(0, -3)}\n${step(2)}\n`, ["step 2"]],
    ["an event of another version", `{"event":"moon","step":1}\n${epoch(1)}\n`, ["epoch 1"]],
    ["the name of a method as event", `{"event":"constructor","step":1}\n{"event":"toString","step":1}\n`, []],
    ["a loss that is no number", `{"event":"epoch","step":1,"epoch":1,"loss":null}\n`, []],
    ["no objects", `3\nnull\n"step"\n[]\n`, []],
    ["an evaluation without its tables", `{"event":"evaluation","step":1,"epoch":1,"report":{}}\n`, []],
  ];
  it.each(cases)("%s", (_, text, want) => {
    expect(readLog(text).map((event) => `${event.event} ${event.step}`)).toEqual(want);
  });

  it("thins steps evenly and keeps the last one and every other event", () => {
    const text = [...Array.from({ length: 1000 }, (_, i) => step(i + 1)), epoch(1000), ""].join("\n");
    const events = readLog(text, { mostSteps: 4 });
    expect(events.map((event) => `${event.event} ${event.step}`)).toEqual([
      "step 250",
      "step 500",
      "step 750",
      "step 1000",
      "epoch 1000",
    ]);
  });

  it.each([
    [0, 3, 0],
    [2, 3, 2],
    [3, 3, 3],
    [4, 3, 2],
    [1001, 500, 334],
  ])("keeps of %i things at most %i: %i", (count, most, want) => {
    const kept = Array.from({ length: count }, (_, i) => i).filter(evenly(count, most));
    expect(kept).toHaveLength(want);
    expect(kept.at(-1)).toBe(count === 0 ? undefined : count - 1);
  });

  it("finds nothing where no log is, and the events of one that is", () => {
    const folder = mkdtempSync(join(tmpdir(), "ijepa-read-log-"));
    expect(readLogFile(join(folder, "log.jsonl"))).toEqual([]);
    writeFileSync(join(folder, "log.jsonl"), `${epoch(7)}\n`);
    expect(readLogFile(join(folder, "log.jsonl"))).toEqual([{ event: "epoch", step: 7, epoch: 1, loss: 0.25 }]);
  });
});
