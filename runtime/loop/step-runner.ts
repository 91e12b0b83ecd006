/** One optimiser step on an engine: masks and schedules in, loss out; the weights change inside the engine. */
import type { Engine, HostArray, LoadedFunction, StateStore } from "../engines/engine";
import type { TrainerProgram } from "../experiment";
import { sampleMasks } from "../masks/sampler";
import { scheduleAt } from "../schedules/schedules";
import { dropPathFactors } from "./drop-path";
import { constantsOf, stepFunctions } from "./functions";
import { mean, type PreparedMicroBatch, type Schedule, type StepRunner } from "./train-loop";

type LoadedStep =
  | { readonly kind: "step"; readonly step: LoadedFunction }
  | { readonly kind: "accumulate"; readonly accumulate: LoadedFunction; readonly update: LoadedFunction };

export async function openStepRunner(engine: Engine, program: TrainerProgram, store: StateStore): Promise<StepRunner> {
  const { experiment } = program;
  const { optimiser } = experiment;
  const constants = constantsOf(experiment);
  const loaded = await loadStep(engine, program, store);

  const prepareMicroBatch = (step: number, microStep: number): PreparedMicroBatch => {
    const { seed } = experiment;
    const images = optimiser.deviceBatch;
    const firstImage = microStep * images;
    const masks = sampleMasks(experiment.masks, { seed, step, images, firstImage });
    const inputs = new Map<string, HostArray>([
      ["batch.contextIndex", masks.contextIndex],
      ["batch.targetIndex", masks.targetIndex],
      ...dropPathFactors({
        seed,
        step,
        images,
        contexts: experiment.masks.contextCount,
        firstImage,
        globalBatch: optimiser.globalBatch,
        depth: experiment.encoder.depth,
        rate: experiment.dropPath,
      }),
    ]);
    return { lengths: masks.lengths, inputs };
  };

  return {
    prepare: (step) => ({
      schedule: scheduleAt(experiment.schedule, optimiser, step),
      microBatches: Array.from({ length: optimiser.accumulation }, (_, microStep) =>
        prepareMicroBatch(step, microStep),
      ),
    }),
    run: async ({ schedule, microBatches }, nextImages) => {
      const losses: number[] = [];
      let dataMs = 0;
      let gradientNorm: number | null = null;
      for (const micro of microBatches) {
        const waitedFromMs = performance.now();
        const images = await nextImages();
        dataMs += performance.now() - waitedFromMs;
        const inputs = new Map<string, HostArray>([["batch.images", images], ...micro.inputs, ...constants]);
        const { lengths } = micro;
        if (loaded.kind === "step") {
          const outputs = await loaded.step.run(new Map([...inputs, ...scheduleInputs(schedule)]), lengths);
          losses.push(scalarOf(outputs, "loss"));
          gradientNorm = outputs.has("norm") ? scalarOf(outputs, "norm") : null;
        } else {
          losses.push(scalarOf(await loaded.accumulate.run(inputs, lengths), "loss"));
        }
      }
      const loss = mean(losses);
      // A gradient of a loss that is not finite must not reach the weights.
      if (loaded.kind === "accumulate" && Number.isFinite(loss)) {
        const outputs = await loaded.update.run(scheduleInputs(schedule), {});
        gradientNorm = outputs.has("norm") ? scalarOf(outputs, "norm") : null;
      }
      return { loss, gradientNorm, dataMs };
    },
  };
}

async function loadStep(engine: Engine, program: TrainerProgram, store: StateStore): Promise<LoadedStep> {
  const functions = stepFunctions(program);
  if (functions.kind === "step") return { kind: "step", step: await engine.load(functions.step, store) };
  return {
    kind: "accumulate",
    accumulate: await engine.load(functions.accumulate, store),
    update: await engine.load(functions.update, store),
  };
}

/** The scalars of a step by path, rounded to float32 once, here. */
function scheduleInputs(schedule: Schedule): ReadonlyMap<string, HostArray> {
  return new Map(
    (["stepSize", "secondMoment", "decayFactor", "keep", "take"] as const).map(
      (name) => [`schedule.${name}`, Float32Array.of(schedule[name])] as const,
    ),
  );
}

function scalarOf(outputs: ReadonlyMap<string, HostArray>, name: string): number {
  const value = outputs.get(name)?.[0];
  if (value === undefined) throw new Error(`internal: the step has no output ${name}`);
  return value;
}
