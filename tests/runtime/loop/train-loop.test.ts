/** The loop over a runner that can have steps waiting behind one another. */
import { describe, expect, test } from "vitest";
import { type StepOutcome, type StepRunner, trainLoop } from "../../../runtime/loop/train-loop";
import { tinyExperiment } from "./tiny";

const { optimizer } = tinyExperiment;
const PER_EPOCH = 4;
const STEPS = 8;

interface Happened {
  readonly events: string[];
  /** Steps that were under way at once, at most. */
  readonly most: number;
  readonly error: unknown;
}

/** Outcomes come in their order, a while after the steps were begun. */
async function happened(
  ahead: number,
  {
    lossAt = () => 1,
    normAt = () => null,
    noImagesAt,
    stopAfter,
  }: {
    /** Steps from 1. */
    readonly lossAt?: (step: number) => number;
    readonly normAt?: (step: number) => number | null;
    readonly noImagesAt?: number;
    /** The stop is asked for once this step is observed. */
    readonly stopAfter?: number;
  } = {},
): Promise<Happened> {
  const events: string[] = [];
  let underWay = 0;
  let most = 0;
  let begun = 0;
  let observed = 0;
  let last: Promise<unknown> = Promise.resolve();
  const begin: StepRunner["begin"] = async (_, nextImages) => {
    await nextImages();
    const step = ++begun;
    events.push(`begin ${step}`);
    most = Math.max(most, ++underWay);
    const outcome = last.then(async (): Promise<StepOutcome> => {
      await new Promise((done) => setTimeout(done, 2));
      underWay--;
      return { loss: lossAt(step), gradientNorm: normAt(step) };
    });
    last = outcome.catch(() => undefined);
    if (ahead === 0) await outcome;
    return { outcome, dataMs: 0 };
  };
  const runner: StepRunner = {
    ahead,
    prepare: () => ({
      schedule: {
        learningRate: 1,
        weightDecay: 0,
        momentum: 0,
        stepSize: 0,
        secondMoment: 0,
        decayFactor: 0,
        keep: 0,
        take: 0,
      },
      microBatches: [],
    }),
    begin,
    run: async (prepared, nextImages) => {
      const { outcome, dataMs } = await begin(prepared, nextImages);
      return { ...(await outcome), dataMs };
    },
  };
  let error: unknown = null;
  try {
    await trainLoop({
      optimizer: { ...optimizer, stepsPerEpoch: PER_EPOCH },
      steps: STEPS,
      from: { stepsDone: 0, epochLoss: 0 },
      stopAtStep: STEPS,
      stopRequested: async () => (stopAfter !== undefined && observed >= stopAfter ? "SIGINT" : null),
      runner,
      nextImages: async () => {
        if (begun + 1 === noImagesAt) throw new Error("no images");
        return new Uint8Array();
      },
      observer: {
        step: async ({ step }) => {
          observed = step;
          events.push(`step ${step}`);
        },
        epochEnd: async ({ epoch }) => {
          events.push(`epoch ${epoch}`);
        },
        notFinite: async () => undefined,
      },
      lastCheckpoint: () => null,
      imageNames: () => [],
      skippedBefore: 0,
    });
  } catch (caught) {
    error = caught;
  }
  return { events, most, error };
}

const words = (text: string): string[] => text.split(", ");

test("an engine that does one step at a time is observed after each", async () => {
  const { events, most } = await happened(0);
  expect(events).toEqual(
    words(
      "begin 1, step 1, begin 2, step 2, begin 3, step 3, begin 4, step 4, epoch 1, " +
        "begin 5, step 5, begin 6, step 6, begin 7, step 7, begin 8, step 8, epoch 2",
    ),
  );
  expect(most).toBe(1);
});

test("a step waits behind the one that runs, and at the end of an epoch nothing has begun that comes after it", async () => {
  const { events, most } = await happened(1);
  expect(events).toEqual(
    words(
      "begin 1, begin 2, step 1, begin 3, step 2, begin 4, step 3, step 4, epoch 1, " +
        "begin 5, begin 6, step 5, begin 7, step 6, begin 8, step 7, step 8, epoch 2",
    ),
  );
  expect(most).toBe(2);
});

describe("what goes wrong while a step waits", () => {
  test.each([
    ["a loss that is not finite", 2, "begin 1, begin 2, step 1, begin 3"],
    ["in the last step of an epoch", 4, "begin 1, begin 2, step 1, begin 3, step 2, begin 4, step 3"],
  ])("%s ends the run before anybody looks at the weights", async (_, at, wanted) => {
    const { events, error } = await happened(1, { lossAt: (step) => (step >= at ? Number.NaN : 1) });
    expect(events).toEqual(words(wanted));
    expect(error).toMatchObject({ message: expect.stringMatching(/^The loss/) });
  });

  test("images that are not there: the steps before are known to be good, and it is said", async () => {
    const { events, error } = await happened(1, { noImagesAt: 3 });
    expect(events).toEqual(words("begin 1, begin 2, step 1, step 2"));
    expect(error).toMatchObject({ message: "no images" });
  });

  test("images that are not there, after a loss that is not finite: the loss is what is said", async () => {
    const { error } = await happened(1, { noImagesAt: 3, lossAt: (step) => (step === 2 ? Number.NaN : 1) });
    expect(error).toMatchObject({ message: expect.stringMatching(/^The loss/) });
  });

  test("a stop that is asked for: what has begun is done and observed", async () => {
    const { events } = await happened(1, { stopAfter: 2 });
    expect(events).toEqual(words("begin 1, begin 2, step 1, begin 3, step 2, step 3"));
  });
});

test.each([0, 1])("a gradient that is not finite stops the run at its own step, %d steps ahead", async (ahead) => {
  const { error, events } = await happened(ahead, { normAt: (step) => (step === 3 ? Number.NaN : 1) });
  expect(String(error)).toMatch(/The norm of the gradient at step 3 is NaN, .* Training stopped\./);
  expect(events).not.toContain("step 3");
});
