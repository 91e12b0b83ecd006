import { expect, test } from "vitest";
import { type BenchRecord, fastestTable, type Side } from "../../bench/record";

const side = (name: string, precision: Side["precision"], seconds: number): Side => ({
  name,
  precision,
  rounds: [{ seconds_median: seconds, seconds_min: seconds, cpu_seconds_per_step: seconds, peak_mib: 1000 * seconds }],
  absent: null,
});

const record = (...sides: readonly Side[]): BenchRecord => ({
  date: "2026-11-27",
  processor: "P",
  threads: 2,
  node: "20",
  rounds: 1,
  steps: 1,
  note: null,
  subjects: [{ title: "T", batch: 8, contextTokens: 1, targetTokens: 1, sides }],
});

const absent: Side = { name: "xla gpu", precision: "fp32", rounds: [], absent: "no plugin" };
const body = (given: BenchRecord): readonly string[] => fastestTable(given).split("\n").slice(2);

test("the fastest of each precision stand beside each other, whatever their order", () => {
  const given = record(
    side("PyTorch 2", "fp32", 2),
    side("PyTorch 2 compiled", "fp32", 1.5),
    side("PyTorch 2 bf16", "bf16", 1),
    side("xla cpu", "fp32", 3),
    side("onnx cpu", "fp32", 1.2),
    side("xla cpu bf16", "bf16", 0.8),
    absent,
  );
  expect(body(given)).toEqual([
    "| T | fp32 | onnx cpu, 1200 (1200–1200) | compiled, 1500 (1500–1500) | 1.25 | 1200 and 1500 MiB |",
    "| T | bf16 | xla cpu, 800 (800–800) | eager, 1000 (1000–1000) | 1.25 | 800 and 1000 MiB |",
  ]);
});

test("a precision that one of them did not run in has no line", () => {
  expect(body(record(side("PyTorch 2", "fp32", 2), side("xla cpu bf16", "bf16", 1), absent))).toEqual([]);
});
