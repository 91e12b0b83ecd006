import { describe, expect, test } from "vitest";
import { type ScheduleSettings, schedulePlan } from "../../../compiler/plan/schedule";
import { scheduleAt } from "../../../runtime/schedules/schedules";
import { officialJson } from "../../support/official";

interface OfficialSchedule {
  readonly params: {
    readonly ipe: number;
    readonly epochs: number;
    readonly warmup: number;
    readonly start_lr: number;
    readonly lr: number;
    readonly final_lr: number;
    readonly wd: number;
    readonly final_wd: number;
    readonly ema: readonly [number, number];
    readonly ipe_scale: number;
  };
  readonly info: { readonly warmup_steps: number; readonly T_max_total: number; readonly steps_trained: number };
  readonly step_index: readonly number[];
  readonly lr: readonly number[];
  readonly wd: readonly number[];
  /** null where the official generator had run dry. */
  readonly momentum: readonly (number | null)[];
}

const betas = { beta1: 0.9, beta2: 0.999 };
const { _about, ...official } = officialJson<Readonly<Record<string, OfficialSchedule>>>("schedules.json");

function settingsOf({ params }: OfficialSchedule): ScheduleSettings {
  return {
    trainImages: params.ipe,
    globalBatch: 1,
    epochs: params.epochs,
    warmupEpochs: params.warmup,
    stretch: params.ipe_scale,
    learningRate: { start: params.start_lr, peak: params.lr, final: params.final_lr },
    weightDecay: { start: params.wd, final: params.final_wd },
    momentum: { start: params.ema[0], final: params.ema[1] },
  };
}

describe.each(Object.entries(official))("%s", (_, schedule) => {
  const plan = schedulePlan(settingsOf(schedule));

  test("lengths", () => {
    const { warmup_steps, T_max_total, steps_trained } = schedule.info;
    expect(plan).toMatchObject({ warmupSteps: warmup_steps, curveSteps: T_max_total, steps: steps_trained });
  });

  test("every recorded value", () => {
    for (const [i, step] of schedule.step_index.entries()) {
      const { learningRate, weightDecay, momentum } = scheduleAt(plan, betas, step);
      // A cosine may differ in its last bit between C libraries; nothing else may.
      expectNear(learningRate, schedule.lr[i] ?? Number.NaN);
      expectNear(weightDecay, schedule.wd[i] ?? Number.NaN);
      const recorded = schedule.momentum[i];
      expect(momentum).toBe(recorded === null ? plan.momentumFinal : recorded);
    }
  });
});

test("scalars of a step, as PyTorch takes them", () => {
  const plan = schedulePlan({
    trainImages: 10,
    globalBatch: 1,
    epochs: 10,
    warmupEpochs: 1,
    stretch: 1,
    learningRate: { start: 0, peak: 1, final: 0 },
    weightDecay: { start: 0.5, final: 0.5 },
    momentum: { start: 0.9, final: 1 },
  });
  const { keep = Number.NaN, take, stepSize, secondMoment, decayFactor } = scheduleAt(plan, betas, 1);
  expect(keep).toBe(0.9 + (1 * (1 - 0.9)) / 100);
  expect(take).toBe(1 - keep);
  expect(stepSize).toBeCloseTo(0.2 / (1 - 0.81), 14);
  expect(secondMoment).toBeCloseTo(1 / Math.sqrt(1 - 0.999 ** 2), 12);
  expect(decayFactor).toBe(1 - 0.2 * 0.5);
});

test("one step of warmup or none: the first step is the peak", () => {
  const settings: ScheduleSettings = {
    trainImages: 4,
    globalBatch: 1,
    epochs: 2,
    warmupEpochs: 0.25,
    stretch: 1,
    learningRate: { start: 0.1, peak: 1, final: 0.01 },
    weightDecay: { start: 0, final: 0 },
    momentum: { start: 1, final: 1 },
  };
  expect(scheduleAt(schedulePlan(settings), betas, 0).learningRate).toBe(1);
  expect(scheduleAt(schedulePlan(settings), betas, 7).learningRate).toBeCloseTo(0.01, 15);
  const without = schedulePlan({ ...settings, warmupEpochs: 0 });
  expect(scheduleAt(without, betas, 0).learningRate).toBeLessThan(1);
  expect(scheduleAt(without, betas, 0).weightDecay).toBe(0);
});

test("a final learning rate above the peak holds from the end of warmup on, as in the reference", () => {
  const plan = schedulePlan({
    trainImages: 10,
    globalBatch: 1,
    epochs: 1,
    warmupEpochs: 0.2,
    stretch: 1,
    learningRate: { start: 0.1, peak: 0.5, final: 1 },
    weightDecay: { start: 0, final: 0 },
    momentum: { start: 1, final: 1 },
  });
  expect([0, 1, 5, 9].map((step) => scheduleAt(plan, betas, step).learningRate)).toEqual([
    0.1 + 0.5 * (0.5 - 0.1),
    1,
    1,
    1,
  ]);
});

function expectNear(got: number, want: number): void {
  expect(Math.abs(got - want)).toBeLessThanOrEqual(1e-15 * Math.max(Math.abs(want), 1e-3));
}
