import { describe, expect, it } from "vitest";
import { type LiveRow, tableText } from "../../../../tools/sweep/live/table";
import type { PointState } from "../../../../tools/sweep/results/results";
import type { PointProgress } from "../../../../tools/sweep/state";

const nothing: PointProgress = {
  step: 0,
  steps: null,
  epoch: 0,
  epochs: null,
  loss: null,
  imagesPerSecond: null,
  leftMs: null,
};
const halfway: PointProgress = {
  step: 5,
  steps: 10,
  epoch: 1,
  epochs: 2,
  loss: 0.123456,
  imagesPerSecond: 1234,
  leftMs: 65_000,
};
const row = (name: string, state: PointState, progress = nothing, more: Partial<LiveRow> = {}): LiveRow => ({
  name,
  condition: { state, message: null, code: null, progress, holder: null },
  status: null,
  metric: null,
  ...more,
});
const options = {
  sweepName: "widths",
  metricName: "shape.knn",
  width: 120,
  height: 24,
  colour: false,
  elapsedMs: 185_000,
  leftMs: 720_000,
};
const lines = (rows: readonly LiveRow[], changes: Partial<typeof options> = {}): readonly string[] =>
  tableText(rows, { ...options, ...changes })
    .split("\n")
    .map((line) => line.trimEnd());

describe("the live table", () => {
  const rows = [
    row("widths-a", "waiting"),
    row("widths-b", "finished", { ...halfway, step: 10, epoch: 2, leftMs: 0 }, { metric: 0.301 }),
    row("widths-c", "failed", { ...halfway, loss: 9 }),
    row("widths-d", "running", halfway, { metric: 0.25 }),
    row("widths-e", "running", { ...halfway, step: 10, epoch: 2 }),
    row("widths-f", "waiting", nothing, { status: "queued on node-3" }),
  ];

  it("shows what runs first, then what failed", () => {
    const [headline, titles = "", ...body] = lines(rows);
    expect(headline).toBe("widths: 1 finished, 2 running, 1 failed, 2 waiting · 3 min 05 s · about 12 min 00 s left");
    const columns = ["", "state", "epoch", "step", "loss", "shape: k-NN (%)", "images/s", "left"];
    expect(titles.split(/ {2,}/)).toEqual(columns);
    expect(body.map((line) => line.replace(/ {2,}/g, " | "))).toEqual([
      "widths-d | running | 1/2 | 5/10 | 0.1235 | 25.0 | 1230 | 1 min 05 s",
      "widths-e | evaluating | 2/2 | 10/10 | 0.1235 | 1230",
      "widths-c | failed | 1/2 | 5/10 | 9.0000",
      "widths-b | finished | 2/2 | 10/10 | 0.1235 | 30.1",
      "widths-a | waiting",
      "widths-f | queued on node-3",
    ]);
  });

  it("fits the terminal: what does not is counted, and names keep their ends", () => {
    const many = Array.from({ length: 50 }, (_, index) => row(`a-very-long-name-of-a-sweep-dim${index}`, "waiting"));
    const shown = lines(many, { height: 10, width: 80 });
    expect(shown).toHaveLength(9);
    expect(shown.at(-1)).toBe("… and 44 waiting");
    expect(Math.max(...shown.slice(1).map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(shown[2]).toMatch(/^….*dim0 +waiting$/);
  });

  it("has no guess where nothing is known", () => {
    expect(tableText(rows, { ...options, leftMs: null }).split("\n")[0]).toMatch(/ · 3 min 05 s$/);
  });
});
