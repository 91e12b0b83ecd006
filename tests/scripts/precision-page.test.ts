import { describe, expect, it } from "vitest";
import { lossParts, type PrecisionRun, precisionTable } from "../../scripts/precision-page";

const run = (seed: number, precision: "fp32" | "bf16", loss: number, accuracy: number): PrecisionRun => ({
  seed,
  precision,
  engine: "XLA",
  losses: [loss, loss, loss, loss, loss],
  probes: [{ task: "count", accuracy }],
  testImages: 100,
});

describe("lossParts", () => {
  it.each([
    [
      [1, 2, 3, 4, 5],
      [1, 2, 3, 4, 5],
    ],
    [
      [1, 3, 2, 2, 5, 5, 0, 0, 7, 9],
      [2, 2, 5, 0, 8],
    ],
    [
      [1, 1, 1, 1, 1, 1, 8],
      [1, 1, 1, 1, 4.5],
    ],
  ])("of %j are %j", (losses, parts) => {
    expect(lossParts(losses)).toEqual(parts);
  });
});

describe("precisionTable", () => {
  it("compares the precisions seed by seed, whatever the order of the runs", () => {
    const runs = [
      run(0, "fp32", 0.1, 0.4),
      run(1, "bf16", 0.25, 0.5),
      run(0, "bf16", 0.1, 0.42),
      run(1, "fp32", 0.2, 0.5),
      run(2, "fp32", 9, 0.9),
    ];
    const lines = precisionTable({ spec: "a.json", date: "2026-11-27", node: "v20", runs }).split("\n");
    expect(lines).toHaveLength(8);
    expect(lines.at(2)).toBe("| loss, fifth 1 of 5 | 0.1500 ± 0.0707 | 0.1750 ± 0.1061 | 0.0250 ± 0.0250 |");
    expect(lines.at(-1)).toBe("| linear probe of count, % | 45.0 ± 7.1 | 46.0 ± 5.7 | 1.0 ± 1.0 |");
  });
});
