import { expect, test } from "vitest";
import { type Remaining, remainingMs } from "../../../../tools/sweep/live/remaining";

const running = (ranForMs: number, leftMs: number | null) => ({ ranForMs, leftMs });
const cases: readonly [name: string, given: Remaining, want: number | null][] = [
  ["nothing is known", { running: [running(1, null)], waiting: 3, endedMs: [], jobs: 1 }, null],
  ["the executor decides how many run", { running: [running(10, 90)], waiting: 3, endedMs: [], jobs: null }, null],
  ["by its pace, one of three", { running: [running(10, 90)], waiting: 2, endedMs: [], jobs: 1 }, 290],
  [
    "its steps are done, its evaluation is not, two wait",
    { running: [running(80, 0)], waiting: 2, endedMs: [], jobs: 1 },
    160,
  ],
  ["one ended before: evaluations count", { running: [running(80, 0)], waiting: 1, endedMs: [100], jobs: 1 }, 120],
  ["slower than the one that ended", { running: [running(90, 50)], waiting: 0, endedMs: [100], jobs: 1 }, 50],
  ["one has just begun, another ended", { running: [running(5, null)], waiting: 0, endedMs: [100], jobs: 1 }, 95],
  ["two at a time", { running: [running(50, 50), running(50, 50)], waiting: 2, endedMs: [], jobs: 2 }, 150],
  ["more jobs than points", { running: [running(20, 80)], waiting: 0, endedMs: [], jobs: 4 }, 80],
];

test.each(cases)("%s", (_name, given, want) => {
  expect(remainingMs(given)).toBe(want);
});
