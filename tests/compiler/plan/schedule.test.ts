import { describe, expect, test } from "vitest";
import {
  type ScheduleSettings,
  schedulePlan,
  scheduleProblems,
  stepsPerEpochOf,
} from "../../../compiler/plan/schedule";

const imagenet: ScheduleSettings = {
  trainImages: 1_281_167,
  globalBatch: 2048,
  epochs: 300,
  warmupEpochs: 40,
  stretch: 1,
  learningRate: { start: 2e-4, peak: 1e-3, final: 1e-6 },
  weightDecay: { start: 0.04, final: 0.4 },
  momentum: { start: 0.996, final: 1 },
};

test.each([
  { trainImages: 1_281_167, globalBatch: 2048, devices: 16, want: 625 },
  { trainImages: 1_281_167, globalBatch: 2048, want: 625 },
  { trainImages: 10, globalBatch: 4, want: 2 },
  // Two devices get 6 images each, the last one twice: floor(6 / 2) steps of 4.
  { trainImages: 11, globalBatch: 4, devices: 2, want: 3 },
  { trainImages: 11, globalBatch: 4, devices: 1, want: 2 },
])("$trainImages images, $globalBatch at a time, $devices devices: $want steps", ({ want, ...settings }) => {
  expect(stepsPerEpochOf(settings)).toBe(want);
});

test("ImageNet, 300 epochs", () => {
  expect(schedulePlan(imagenet)).toEqual({
    steps: 187_500,
    curveSteps: 187_500,
    warmupSteps: 25_000,
    lrStart: 2e-4,
    lrPeak: 1e-3,
    lrFinal: 1e-6,
    weightDecayStart: 0.04,
    weightDecayFinal: 0.4,
    momentumStart: 0.996,
    momentumFinal: 1,
    momentumSteps: 187_500,
  });
});

test("steps are cut to whole numbers, the length of the momentum curve is not", () => {
  const plan = schedulePlan({
    ...imagenet,
    trainImages: 7,
    globalBatch: 1,
    epochs: 3,
    warmupEpochs: 1.5,
    stretch: 1.25,
  });
  expect(plan).toMatchObject({ steps: 21, curveSteps: 26, warmupSteps: 10, momentumSteps: 26.25 });
});

describe("problems", () => {
  test.each<{ change: Partial<ScheduleSettings>; want: string[] }>([
    { change: {}, want: [] },
    { change: { trainImages: 2000 }, want: ["no full batch"] },
    { change: { stretch: 0.8 }, want: ["curves end before training"] },
    { change: { warmupEpochs: 300 }, want: ["warmup fills the run"] },
    { change: { warmupEpochs: 299.99 }, want: [] },
  ])("$change → $want", ({ change, want }) => {
    expect(scheduleProblems({ ...imagenet, ...change }).map(({ kind }) => kind)).toEqual(want);
  });
});
