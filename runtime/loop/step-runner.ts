/** One optimiser step on an engine: masks and schedules in, loss out; the weights change inside the engine. */
import type { Engine, HostArray, LoadedFunction, StateStore } from "../engines/engine";
import type { TrainerProgram } from "../experiment";
import { sampleMasks } from "../masks/sampler";
import { aloneCommunicator } from "../ranks/alone";
import type { Communicator } from "../ranks/communicator";
import { gatherNumbers } from "../ranks/numbers";
import { scheduleAt, scheduleTree } from "../schedules/schedules";
import { firstImageOf } from "../step/share";
import { dropPathFactors } from "./drop-path";
import { constantsOf, inputsOf, type StepFunctions, stepEngineFunctions } from "./functions";
import { mean, type PreparedMicroBatch, type StepRunner } from "./train-loop";

/** `ranks` are the devices that share the batch: this one takes its part of the images, and the loss is the mean over all. */
export async function openStepRunner(
  engine: Engine,
  program: TrainerProgram,
  store: StateStore,
  ranks: Pick<Communicator, "rank" | "size" | "allGather"> = aloneCommunicator(),
): Promise<StepRunner> {
  const { experiment } = program;
  const { optimiser } = experiment;
  const constants = constantsOf(experiment);
  const { microBatch, update } = await loadStep(engine, program, store);
  const takesSchedule = update === null;

  const prepareMicroBatch = (step: number, microStep: number): PreparedMicroBatch => {
    const { seed } = experiment;
    const images = optimiser.deviceBatch;
    const firstImage = firstImageOf({ microStep, deviceBatch: images }, ranks);
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

  return {
    prepare: (step) => ({
      schedule: scheduleAt(experiment.schedule, optimiser, step),
      microBatches: Array.from({ length: optimiser.accumulation }, (_, microStep) =>
        prepareMicroBatch(step, microStep),
      ),
    }),
    run: async ({ schedule: scalars, microBatches }, nextImages) => {
      const losses: number[] = [];
      let dataMs = 0;
      let norm: HostArray | undefined;
      const schedule = scheduleTree(scalars);
      for (const { lengths, batch } of microBatches) {
        const waitedFromMs = performance.now();
        const images = await nextImages();
        dataMs += performance.now() - waitedFromMs;
        const given = { batch: { images, ...batch }, constants, ...(takesSchedule ? { schedule } : {}) };
        const outputs = await microBatch.run(inputsOf(given), lengths);
        losses.push(scalarOf(outputs, "loss"));
        norm = outputs.get("norm");
      }
      // The same number on every rank, so all stop where it is not finite.
      const loss = mean((await gatherNumbers(ranks, [mean(losses)])).flat());
      // A gradient of a loss that is not finite must not reach the weights.
      if (update !== null && Number.isFinite(loss)) norm = (await update.run(inputsOf({ schedule }), {})).get("norm");
      return { loss, gradientNorm: norm?.[0] ?? null, dataMs };
    },
  };
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

function scalarOf(outputs: ReadonlyMap<string, HostArray>, name: string): number {
  const value = outputs.get(name)?.[0];
  if (value === undefined) throw new Error(`internal: the step has no output ${name}`);
  return value;
}
