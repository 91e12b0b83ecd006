import { describe, expect, it } from "vitest";
import { LogEvents } from "../../../tools/report/log-events";
import { stepEvent } from "../../runtime/loggers/step-event";

const steps = (log: LogEvents): readonly number[] => log.events.map(({ step }) => step);

describe("the events of a log", () => {
  it("are all of a log of usual length, and lines that are none are counted", () => {
    const log = new LogEvents();
    for (const step of [1, 2, 3]) log.take(JSON.stringify(stepEvent(step)));
    log.take("");
    log.take('{"event":"st');
    expect(steps(log)).toEqual([1, 2, 3]);
    expect(log.torn).toEqual({ lines: 1, of: 4 });
  });

  it("are steps at even distances of a long one, with the last and with everything that is no step", () => {
    const log = new LogEvents();
    const count = 90_001;
    for (let step = 1; step <= count; step++) {
      log.take(JSON.stringify(stepEvent(step)));
      if (step === 50_000) log.take(JSON.stringify({ event: "epoch", step, epoch: 1, loss: 0.5 }));
    }
    const kept = log.events.filter(({ event }) => event === "step").map(({ step }) => step);
    expect(kept.length).toBeLessThanOrEqual(40_000);
    expect(kept.length).toBeGreaterThan(20_000);
    expect(kept.at(-1)).toBe(count);
    const distances = new Set(kept.slice(1, -1).map((step, i) => step - (kept[i] ?? 0)));
    expect([...distances]).toEqual([4]);
    expect(log.events.filter(({ event }) => event === "epoch")).toHaveLength(1);
  });
});
