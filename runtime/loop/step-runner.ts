/** One optimizer step on an engine: masks and schedules in, loss out; the weights change inside the engine. */
import type { Engine, Inputs, LoadedFunction, Outputs, StateStore } from "../engines/engine";
import type { TrainerProgram } from "../experiment";
import { aloneCommunicator } from "../ranks/alone";
import type { Communicator } from "../ranks/communicator";
import { gatherNumbers } from "../ranks/numbers";
import { scheduleAt, scheduleTree } from "../schedules/schedules";
import type { Lengths } from "../step/lengths";
import { firstImageOf, placesOf } from "../step/share";
import { constantsOf, inputsOf, type StepFunctions, stepEngineFunctions } from "./functions";
import { mean, type PreparedMicroBatch, type StepOutcome, type StepRunner } from "./train-loop";

/** One run and one behind it keep a device busy; more would make a stop later, and hold the images of each. */
const MOST_AHEAD = 1;

/** Runs of the micro-batch function that the devices have not ended, in their order. */
class InFlight {
  readonly #runs: Promise<unknown>[] = [];

  add(outputs: Promise<readonly Outputs[]>): void {
    // Whoever asks for the outcome meets a failure; until then it must not end the process.
    this.#runs.push(outputs.catch(() => undefined));
  }

  /** Waits until at most so many are left. */
  async downTo(most: number): Promise<void> {
    while (this.#runs.length > most) await this.#runs.shift();
  }
}

interface Queues {
  readonly microBatch: NonNullable<LoadedFunction["queue"]>;
  readonly update: NonNullable<LoadedFunction["queue"]> | null;
}

/** Null where the engine has one call under way at a time. */
function queuesOf({ microBatch, update }: StepFunctions<LoadedFunction>): Queues | null {
  if (microBatch.queue === undefined) return null;
  if (update === null) return { microBatch: microBatch.queue, update: null };
  return update.queue === undefined ? null : { microBatch: microBatch.queue, update: update.queue };
}

/**
 * `ranks` are the processes that share the batch. Each device of this one takes its part of the images, and the loss is the
 * mean over all devices.
 */
export async function openStepRunner(
  engine: Engine,
  program: TrainerProgram,
  store: StateStore,
  ranks: Pick<Communicator, "rank" | "size" | "allGather"> = aloneCommunicator(),
): Promise<StepRunner> {
  const { experiment, objective } = program;
  const { optimizer } = experiment;
  const places = placesOf(ranks, engine.devices ?? 1);
  const constants = constantsOf(program);
  const { microBatch, update } = await loadStep(engine, program, store);
  const takesSchedule = update === null;
  // Ranks meet in one order, and agree on a loss before they update.
  const queues = ranks.size === 1 ? queuesOf({ microBatch, update }) : null;
  const inFlight = new InFlight();

  const prepareMicroBatch = (step: number, microStep: number): PreparedMicroBatch => {
    const { deviceBatch } = optimizer;
    const made = places.map((place) =>
      objective.batch(experiment, { step, firstImage: firstImageOf({ microStep, deviceBatch }, place) }),
    );
    const [first] = made;
    if (first === undefined) throw new Error("internal: an engine without devices");
    // A step has the same lengths on all devices.
    return { lengths: first.lengths, batches: made.map(({ batch }) => batch) };
  };

  const begin: StepRunner["begin"] = async ({ schedule: scalars, microBatches }, nextImages) => {
    const outputs: Outputs[] = [];
    const queued: Promise<readonly Outputs[]>[] = [];
    let dataMs = 0;
    const schedule = scheduleTree(scalars);
    for (const { lengths, batches } of microBatches) {
      const waitedFromMs = performance.now();
      const shares: Inputs[] = [];
      for (const batch of batches) {
        const images = await nextImages();
        shares.push(inputsOf({ batch: { images, ...batch }, constants, ...(takesSchedule ? { schedule } : {}) }));
      }
      dataMs += performance.now() - waitedFromMs;
      if (queues === null) {
        outputs.push(...(await ranOnAll(microBatch, shares, lengths)));
        continue;
      }
      await inFlight.downTo(MOST_AHEAD);
      const made = (await queues.microBatch(shares, lengths)).outputs;
      inFlight.add(made);
      queued.push(made);
    }
    if (queues !== null) {
      // A loss that is not finite ends the run when it is read, and no checkpoint is written: as in a step of one function.
      const shares = places.map(() => inputsOf({ schedule }));
      const updated = queues.update === null ? null : (await queues.update(shares, {})).outputs;
      return { dataMs, outcome: outcomeOfQueued(queued, updated) };
    }
    // The mean over the ranks is the same number on each of them, so all stop where it is not finite.
    const local = outcomeOf(outputs, outputs.at(-1));
    const losses = await meanOverRanks(ranks, lossesOf(local));
    const outcome: StepOutcome = { ...local, ...losses };
    // A gradient of a loss that is not finite must not reach the weights.
    if (update === null || !Number.isFinite(outcome.loss)) return { dataMs, outcome: Promise.resolve(outcome) };
    const updated = await update.run(inputsOf({ schedule }), {});
    return { dataMs, outcome: Promise.resolve({ ...outcomeOf(outputs, updated), ...losses }) };
  };

  return {
    ahead: queues === null ? 0 : MOST_AHEAD,
    prepare: (step) => ({
      schedule: scheduleAt(experiment.schedule, optimizer, step),
      microBatches: Array.from({ length: optimizer.accumulation }, (_, microStep) =>
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

/** One call on all devices of the engine. */
async function ranOnAll(fn: LoadedFunction, shares: readonly Inputs[], lengths: Lengths): Promise<readonly Outputs[]> {
  if (fn.queue !== undefined) return (await fn.queue(shares, lengths)).outputs;
  const [only, ...others] = shares;
  if (only === undefined || others.length > 0) throw new Error("internal: shares of devices that the engine has not");
  return [await fn.run(only, lengths)];
}

type Losses = Pick<StepOutcome, "loss" | "regularizer">;

const lossesOf = ({ loss, regularizer }: StepOutcome): Losses => ({
  loss,
  ...(regularizer === undefined ? {} : { regularizer }),
});

async function meanOverRanks(
  ranks: Parameters<typeof gatherNumbers>[0],
  { loss, regularizer }: Losses,
): Promise<Losses> {
  const found = await gatherNumbers(ranks, regularizer === undefined ? [loss] : [loss, regularizer]);
  const meanOf = (i: number): number => mean(found.map((numbers) => numbers[i] ?? Number.NaN));
  return { loss: meanOf(0), ...(regularizer === undefined ? {} : { regularizer: meanOf(1) }) };
}

/** The mean losses of the micro-batches of all devices; the norm comes with the update. */
function outcomeOf(microBatches: readonly Outputs[], update: Outputs | undefined): StepOutcome {
  const meanOf = (name: string): number => mean(microBatches.map((outputs) => scalarOf(outputs, name)));
  const regularizes = microBatches[0]?.has("regularizer") ?? false;
  return {
    loss: meanOf("loss"),
    ...(regularizes ? { regularizer: meanOf("regularizer") } : {}),
    gradientNorm: update?.get("norm")?.[0] ?? null,
  };
}

async function outcomeOfQueued(
  microBatches: readonly Promise<readonly Outputs[]>[],
  update: Promise<readonly Outputs[]> | null,
): Promise<StepOutcome> {
  const [made, updated] = await Promise.all([Promise.all(microBatches), update]);
  const all = made.flat();
  return outcomeOf(all, updated?.[0] ?? all.at(-1));
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
