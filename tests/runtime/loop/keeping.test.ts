import { describe, expect, test } from "vitest";
import type { LogPlan } from "../../../runtime/experiment";
import { isBest, isKept, mayBeBest, surplusCopies } from "../../../runtime/loop/keeping";
import type { LogEvent } from "../../../runtime/report/jsonl";
import { noLoggerSettings } from "../../support/no-loggers";

const plan = (changes: Partial<LogPlan>): LogPlan => ({
  logEverySteps: 1,
  checkpointEveryEpochs: 1,
  keepEveryEpochs: 0,
  keepLast: 1,
  keepBestMetric: null,
  ...noLoggerSettings,
  ...changes,
});

/** The copies that are there after each of so many epochs. */
function after(log: LogPlan, epochs: number): number[][] {
  let copies: number[] = [];
  return Array.from({ length: epochs }, (_, i) => {
    const epoch = i + 1;
    if (isKept(log, epoch)) copies.push(epoch);
    const surplus = surplusCopies(log, copies, epoch);
    copies = copies.filter((copy) => !surplus.includes(copy));
    return [...copies];
  });
}

describe("numbered copies", () => {
  const cases: readonly [given: Partial<LogPlan>, wanted: number[][]][] = [
    [{}, [[], [], [], [], []]],
    [{ keepEveryEpochs: 2 }, [[], [2], [2], [2, 4], [2, 4]]],
    [{ keepLast: 2 }, [[1], [1, 2], [2, 3], [3, 4], [4, 5]]],
    [{ keepLast: 2, keepEveryEpochs: 2 }, [[1], [1, 2], [2, 3], [2, 3, 4], [2, 4, 5]]],
    [{ keepLast: 2, checkpointEveryEpochs: 2 }, [[], [2], [2], [2, 4], [2, 4]]],
  ];
  test.each(cases)("%j", (given, wanted) => expect(after(plan(given), 5)).toEqual(wanted));

  test("of later epochs, from before a resume, are left alone", () => {
    expect(surplusCopies(plan({ keepLast: 2 }), [1, 2, 3, 8, 9], 3)).toEqual([1]);
  });
});

describe("the best", () => {
  const losses = (...values: readonly number[]): LogEvent[] =>
    values.map((loss, i) => ({ event: "epoch", step: 5 * (i + 1), epoch: i + 1, loss }));
  const knns = (...values: readonly (number | null)[]): LogEvent[] =>
    values.flatMap((knn, i): LogEvent[] => {
      if (knn === null) return [];
      const row = {
        representation: "target encoder",
        dimension: 8,
        tasks: [{ linearProbe: 0, knn, l2: 1 }],
        collapse: null,
      };
      const tasks = [{ name: "class", classes: 2, chance: 0.5 }];
      const images = { trainImages: 8, validationImages: 8, testImages: 8, neighbours: 3 };
      return [{ event: "evaluation", step: 5 * (i + 1), epoch: i + 1, report: { ...images, tasks, rows: [row] } }];
    });
  const cases: readonly [what: string, metric: string, events: LogEvent[], wanted: boolean][] = [
    ["a first one is", "loss", losses(3), true],
    ["a smaller loss is", "loss", losses(3, 2), true],
    ["an equal one is not", "loss", losses(3, 2, 2), false],
    ["a larger loss is not", "loss", losses(3, 2, 4), false],
    ["a larger accuracy is", "class.knn", knns(0.2, 0.3), true],
    ["a smaller accuracy is not", "class.knn", knns(0.4, 0.3), false],
    ["what was not measured is not", "class.knn", knns(0.2, null), false],
  ];
  test.each(cases)("%s", (_, metric, events, wanted) => {
    const last = Math.max(...events.map((event) => ("epoch" in event ? event.epoch : 0)));
    expect(isBest(metric, metric === "class.knn" && events.length === 1 ? 2 : last, events)).toBe(wanted);
  });

  test("by a metric that the run has not: R183", () => {
    expect(() => isBest("class.knm", 1, knns(0.2))).toThrow(/no class\.knm, .*class\.linearProbe, class\.knn/);
  });

  test("may be there where its metric is measured", () => {
    const of = (keepBestMetric: string | null, everyEpochs: number): boolean[] =>
      [1, 2, 3].map((epoch) => mayBeBest({ log: plan({ keepBestMetric }), evaluation: { everyEpochs } }, epoch));
    expect(of(null, 1)).toEqual([false, false, false]);
    expect(of("loss", 0)).toEqual([true, true, true]);
    expect(of("rankMe", 2)).toEqual([false, true, false]);
  });
});
