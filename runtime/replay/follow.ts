/** Goes through a recorded run with the generated step, and compares everything that was recorded on the way. */
import type { Engine, HostArray, LoadedFunction, StateStore } from "../engines/engine";
import type { GeneratedFunction, TrainerProgram } from "../experiment";
import { type Constants, constantsOf, engineFunction, inputsOf, stepEngineFunctions } from "../loop/functions";
import { stateSpecs, writeZeros } from "../loop/state";
import type { Communicator } from "../ranks/communicator";
import { gatherNumbers } from "../ranks/numbers";
import { type StepValues, scalarsOf, scheduleTree } from "../schedules/schedules";
import type { StepSizes } from "../step/agree";
import type { ScheduleTree } from "../step/trees";
import { asInBfloat16, asInFloat32 } from "./bfloat16";
import type { Comparison } from "./compare";
import { batchOf, floatsOf, initialState, type RecordedBatch } from "./inputs";
import { checkRecorded } from "./recorded";
import { type Outputs, Results, scalar } from "./results";
import type { Trace } from "./trace";

/** A trainer with functions that show what its step computes on the way: with its own loss, and with the mean squared error. */
export interface ReplayProgram extends TrainerProgram {
  /** Those that step.ts declares, which may be of a trainer that somebody has edited. */
  readonly sizes: StepSizes;
  readonly observers: { readonly own: GeneratedFunction; readonly mse: GeneratedFunction | null };
  /** Casts to bfloat16 of a step; 0: it is one in float32. */
  readonly casts: number;
}

export interface Followed {
  readonly comparisons: readonly Comparison[];
  /** What of the format the trace does not hold. */
  readonly notRecorded: readonly string[];
}

export interface FollowOptions {
  /** Go no further than this step; the losses of the whole run are then not compared. */
  readonly steps?: number;
  /** Where the ranks of the trace are processes: this one of them, whose engine meets the others. */
  readonly devices?: Communicator;
  /** Whether the mean squared error is looked at too; true unless said otherwise. */
  readonly mse?: boolean;
}

interface Step {
  /** Runs one optimizer step over the batches of all ranks, or over that of this device; gives the losses of all. */
  run(batches: readonly RecordedBatch[], schedule: ScheduleTree<HostArray>): Promise<readonly number[]>;
}

async function openStep(
  program: TrainerProgram,
  engine: Engine,
  store: StateStore,
  constants: Constants,
  devices: Communicator | undefined,
): Promise<Step> {
  const functions = stepEngineFunctions(program);
  const microBatch = await engine.load(functions.microBatch, store);
  const update = functions.update && (await engine.load(functions.update, store));
  return {
    run: async (batches, schedule) => {
      const losses: number[] = [];
      const mine = devices === undefined ? batches : batches.slice(devices.rank, devices.rank + 1);
      for (const { batch, lengths } of mine) {
        const given = { batch, constants, ...(update === null ? { schedule } : {}) };
        losses.push(scalar(await microBatch.run(inputsOf(given), lengths), "loss"));
      }
      if (update !== null) await update.run(inputsOf({ schedule }), {});
      return devices === undefined ? losses : (await gatherNumbers(devices, losses)).flat();
    },
  };
}

/** Throws UserError where the trace lacks what a replay needs. */
export async function follow(
  program: ReplayProgram,
  trace: Trace,
  engine: Engine,
  options: FollowOptions = {},
): Promise<Followed> {
  const { experiment, parameters } = program;
  const { observers } = program;
  const recorded = checkRecorded(trace, program, observers.mse !== null);
  const constants = constantsOf(program);
  const store = engine.createStore(stateSpecs(parameters, program.state));
  await writeZeros(store, ["m", "v", "gradients"]);
  for await (const [path, values] of initialState(trace, parameters)) await store.write(path, values);

  const { casts } = program;
  const judge = casts === 0 ? asInFloat32 : await asInBfloat16(trace, experiment.optimizer, casts);
  const results = new Results(trace, program, constants, judge);
  await results.positions(0);
  const schedules = await recordedSchedules(trace);
  if (trace.config.schedule !== null) await results.schedules();

  const loads: LoadedFunction[] = [];
  const loadObserver = async (name: "own" | "mse", observer: GeneratedFunction): Promise<LoadedFunction> => {
    const loaded = await engine.load(engineFunction(`observe ${name}`, observer, program), store);
    loads.push(loaded);
    return loaded;
  };
  const observe = (observer: LoadedFunction, { batch, lengths }: RecordedBatch): Promise<Outputs> =>
    observer.run(inputsOf({ batch, constants }), lengths);
  const wantsMse = options.mse !== false && (recorded.forward || recorded.losses.has("seq.loss_mse"));
  const mse = wantsMse && observers.mse !== null ? await loadObserver("mse", observers.mse) : null;
  const step = await openStep(program, engine, store, constants, options.devices);

  const local: (readonly number[])[] = [];
  const mseLosses: number[] = [];
  const stop = Math.min(trace.steps, options.steps ?? trace.steps);
  for (let s = 0; s < stop; s++) {
    const batches: RecordedBatch[] = [];
    for (let rank = 0; rank < trace.ranks; rank++) batches.push(await batchOf(trace, experiment, rank, s));
    if (s === 0 && (recorded.forward || recorded.gradients)) {
      const observer = await loadObserver("own", observers.own);
      const outputs: Outputs[] = [];
      for (const batch of batches) outputs.push(await observe(observer, batch));
      await results.firstPass(recorded, outputs);
      if (trace.loss === "mse") {
        outputs.length = 0;
        const own = await loadObserver("mse", observers.mse ?? observers.own);
        for (const batch of batches) outputs.push(await observe(own, batch));
      }
      await results.gradients(recorded, outputs);
    }
    const [batch] = batches;
    if (mse !== null && batch !== undefined) {
      const outputs = await observe(mse, batch);
      mseLosses.push(scalar(outputs, "loss"));
      if (s === 0) await results.firstPassOfMse(recorded, outputs);
    }
    const values = schedules[s];
    if (values === undefined) throw new Error(`internal: there is no schedule for step ${s}`);
    local.push(await step.run(batches, scheduleTree(scalarsOf(values, experiment.optimizer, trace.stepsBefore + s))));
    if (trace.recordedAfter.includes(s + 1)) {
      await results.state(s + 1, store);
      await results.positions(s + 1);
    }
  }
  if (stop === trace.steps) await results.losses(recorded, { local, mse: mseLosses });
  return { comparisons: results.found, notRecorded: recorded.missing };
}

async function recordedSchedules(trace: Trace): Promise<readonly StepValues[]> {
  const lr = await floatsOf(trace.file, "seq.lr");
  const wd = await floatsOf(trace.file, "seq.wd");
  const momentum = trace.averages ? await floatsOf(trace.file, "seq.momentum") : null;
  return Array.from(lr, (learningRate, s) => ({
    learningRate,
    weightDecay: wd[s] ?? Number.NaN,
    ...(momentum !== null && { momentum: momentum[s] ?? Number.NaN }),
  }));
}
