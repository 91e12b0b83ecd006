/** One optimiser step on an engine: masks and schedules in, loss out; the weights change inside the engine. */
import type { Engine, LoadedFunction, Outputs, StateStore } from "../engines/engine";
import type { TrainerProgram } from "../experiment";
import { sampleMasks } from "../masks/sampler";
import { scheduleAt, scheduleTree } from "../schedules/schedules";
import { dropPathFactors } from "./drop-path";
import { constantsOf, inputsOf, type StepFunctions, stepEngineFunctions } from "./functions";
import { mean, type PreparedMicroBatch, type StepOutcome, type StepRunner } from "./train-loop";

/** One step that runs and one behind it keep a device busy; more would only make a stop later. */
const MOST_AHEAD = 1;

export async function openStepRunner(engine: Engine, program: TrainerProgram, store: StateStore): Promise<StepRunner> {
  const { experiment } = program;
  const { optimiser } = experiment;
  const constants = constantsOf(experiment);
  const { microBatch, update } = await loadStep(engine, program, store);
  const takesSchedule = update === null;
  // An update waits until the losses are known to be finite.
  const canQueue = microBatch.queue !== undefined && update === null;

  const prepareMicroBatch = (step: number, microStep: number): PreparedMicroBatch => {
    const { seed } = experiment;
    const images = optimiser.deviceBatch;
    const firstImage = microStep * images;
    const { lengths, contextIndex, targetIndex } = sampleMasks(experiment.masks, { seed, step, images, firstImage });
    const dropPath = dropPathFactors({
      seed,
      step,
      images,
      contexts: experiment.masks.contextCount,
      firstImage,
      globalBatch: optimiser.globalBatch,
      depth: experiment.encoder.depth,
      rate: experiment.dropPath,
    });
    return { lengths, batch: { contextIndex, targetIndex, ...(dropPath === undefined ? {} : { dropPath }) } };
  };

  const begin: StepRunner["begin"] = async ({ schedule: scalars, microBatches }, nextImages) => {
    const outputs: Outputs[] = [];
    let dataMs = 0;
    const schedule = scheduleTree(scalars);
    for (const { lengths, batch } of microBatches) {
      const waitedFromMs = performance.now();
      const images = await nextImages();
      dataMs += performance.now() - waitedFromMs;
      const given = inputsOf({ batch: { images, ...batch }, constants, ...(takesSchedule ? { schedule } : {}) });
      if (canQueue && microBatch.queue !== undefined) {
        const queued = await microBatch.queue(given, lengths);
        return { dataMs, outcome: queued.outputs.then((made) => outcomeOf([made], made)) };
      }
      outputs.push(await microBatch.run(given, lengths));
    }
    const outcome = outcomeOf(outputs, outputs.at(-1));
    // A gradient of a loss that is not finite must not reach the weights.
    if (update === null || !Number.isFinite(outcome.loss)) return { dataMs, outcome: Promise.resolve(outcome) };
    const updated = await update.run(inputsOf({ schedule }), {});
    return { dataMs, outcome: Promise.resolve(outcomeOf(outputs, updated)) };
  };

  return {
    ahead: canQueue ? MOST_AHEAD : 0,
    prepare: (step) => ({
      schedule: scheduleAt(experiment.schedule, optimiser, step),
      microBatches: Array.from({ length: optimiser.accumulation }, (_, microStep) =>
        prepareMicroBatch(step, microStep),
      ),
    }),
    begin,
    run: async (prepared, nextImages) => {
      const { outcome, dataMs } = await begin(prepared, nextImages);
      return { ...(await outcome), dataMs };
    },
  };
}

/** The mean loss of the micro-batches; the norm comes with the update. */
function outcomeOf(microBatches: readonly Outputs[], update: Outputs | undefined): StepOutcome {
  const losses = microBatches.map((outputs) => scalarOf(outputs, "loss"));
  return { loss: mean(losses), gradientNorm: update?.get("norm")?.[0] ?? null };
}

async function loadStep(
  engine: Engine,
  program: TrainerProgram,
  store: StateStore,
): Promise<StepFunctions<LoadedFunction>> {
  const { microBatch, update } = stepEngineFunctions(program);
  return {
    microBatch: await engine.load(microBatch, store),
    update: update && (await engine.load(update, store)),
  };
}

function scalarOf(outputs: Outputs, name: string): number {
  const value = outputs.get(name)?.[0];
  if (value === undefined) throw new Error(`internal: the step has no output ${name}`);
  return value;
}
