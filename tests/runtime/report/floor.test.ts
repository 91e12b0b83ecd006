import { describe, expect, it } from "vitest";
import { type Floor, floorText, judge, missText, parseFloor } from "../../../runtime/report/floor";
import type { LogEvent } from "../../../runtime/report/jsonl";

const texts: readonly [text: string, floor: Floor][] = [
  ["loss@2=0.3", { metric: "loss", epoch: 2, value: 0.3, goal: "min" }],
  ["shape.knn@1=0.25", { metric: "shape.knn", epoch: 1, value: 0.25, goal: "max" }],
  ["loss@10>=-1", { metric: "loss", epoch: 10, value: -1, goal: "max" }],
  ["rankMe@3<=1e-7", { metric: "rankMe", epoch: 3, value: 1e-7, goal: "min" }],
];

describe("a floor as a flag", () => {
  it.each(texts)("%s", (text, floor) => {
    expect(parseFloor(text)).toEqual(floor);
    expect(floorText(floor)).toBe(text);
  });

  const wrong = ["", "loss", "loss@1", "loss@1=", "loss@0=1", "loss@1.5=1", "@1=2", "loss@1==2", "loss@1=x", "a b@1=2"];
  it.each(wrong)("is not %j", (text) => {
    expect(parseFloor(text)).toBe(null);
  });
});

describe("a verdict", () => {
  const events: readonly LogEvent[] = [
    { event: "epoch", step: 5, epoch: 1, loss: 0.5 },
    { event: "epoch", step: 10, epoch: 2, loss: 0.25 },
  ];
  const cases: readonly [text: string, value: number | null, passes: boolean | null][] = [
    ["loss@1=0.5", 0.5, true],
    ["loss@1=0.49", 0.5, false],
    ["loss@2=0.49", 0.25, true],
    ["loss@2>=0.3", 0.25, false],
    ["loss@3=9", null, null],
    ["count.knn@1=0", null, null],
  ];
  it.each(cases)("on %s", (text, value, passes) => {
    const floor = parseFloor(text);
    if (floor === null) throw new Error("no floor");
    expect(judge(floor, events)).toEqual(value === null ? null : { value, passes });
  });

  it("says what was wanted", () => {
    expect(missText({ metric: "loss", epoch: 2, value: 0.2, goal: "min" }, 1 / 3)).toBe(
      "loss is 0.3333 after epoch 2, and goes on with at most 0.2",
    );
  });
});
