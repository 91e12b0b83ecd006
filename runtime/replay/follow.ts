/** Goes through a recorded run with the generated step, and compares everything that was recorded on the way. */
import type { Engine, EngineFunction, LoadedFunction, StateStore } from "../engines/engine";
import type { GeneratedFunction, TrainerProgram } from "../experiment";
import { batchSpecs, constantSpecs, constantsOf, firstLengths, runOf, stepFunctions } from "../loop/functions";
import { stateSpecs, writeZeros } from "../loop/state";
import { type StepValues, scalarsOf } from "../schedules/schedules";
import type { Comparison } from "./compare";
import { batchOf, floatsOf, initialWeights, type RecordedBatch } from "./inputs";
import { checkRecorded } from "./recorded";
import { type Outputs, Results, scalar } from "./results";
import type { Trace } from "./trace";

/** A trainer with functions that show what its step computes on the way, one for each loss. */
export interface ReplayProgram extends TrainerProgram {
  readonly probes: { readonly smoothL1: GeneratedFunction; readonly mse: GeneratedFunction };
}

export interface Followed {
  readonly comparisons: readonly Comparison[];
  /** What of the format the trace does not hold. */
  readonly notRecorded: readonly string[];
}

export interface FollowOptions {
  /** Go no further than this step; the losses of the whole run are then not compared. */
  readonly steps?: number;
  /** Whether the mean squared error is looked at too; true unless said otherwise. */
  readonly mse?: boolean;
}

interface Step {
  /** Runs one optimiser step over the batches of all ranks; gives their losses. */
  run(batches: readonly RecordedBatch[], schedule: Outputs): Promise<readonly number[]>;
}

async function openStep(program: TrainerProgram, engine: Engine, store: StateStore, constants: Outputs): Promise<Step> {
  const functions = stepFunctions(program);
  if (functions.kind === "step") {
    const step = await engine.load(functions.step, store);
    return {
      run: async ([batch], schedule) => {
        if (batch === undefined) throw new Error("internal: a step without a batch");
        return [scalar(await step.run(new Map([...batch.inputs, ...schedule, ...constants]), batch.lengths), "loss")];
      },
    };
  }
  const accumulate = await engine.load(functions.accumulate, store);
  const update = await engine.load(functions.update, store);
  return {
    run: async (batches, schedule) => {
      const losses: number[] = [];
      for (const { inputs, lengths } of batches) {
        losses.push(scalar(await accumulate.run(new Map([...inputs, ...constants]), lengths), "loss"));
      }
      await update.run(schedule, {});
      return losses;
    },
  };
}

function probeFunction(
  name: string,
  { experiment, parameters, lengths }: TrainerProgram,
  probe: GeneratedFunction,
): EngineFunction {
  const paths = [...stateSpecs(parameters, "step").keys()];
  return {
    name,
    reads: paths.filter((path) => path.startsWith("weights.") || path.startsWith("target.")),
    inputs: new Map([...batchSpecs(experiment, lengths), ...constantSpecs(experiment)]),
    lengths,
    run: runOf(probe, firstLengths(experiment)),
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
  const recorded = checkRecorded(trace, experiment, parameters);
  const constants = constantsOf(experiment);
  const store = engine.createStore(stateSpecs(parameters, program.functions.kind));
  for await (const [path, values] of initialWeights(trace, parameters)) await store.write(path, values);
  await writeZeros(store, ["m", "v", "gradients"]);

  const results = new Results(trace, program, constants);
  await results.positions(0);
  const schedules = await recordedSchedules(trace);
  if (trace.config.schedule !== null) await results.schedules();

  const loads: LoadedFunction[] = [];
  const loadProbe = async (name: "smoothL1" | "mse"): Promise<LoadedFunction> => {
    const loaded = await engine.load(probeFunction(`probe ${name}`, program, program.probes[name]), store);
    loads.push(loaded);
    return loaded;
  };
  const runProbe = (probe: LoadedFunction, { inputs, lengths }: RecordedBatch): Promise<Outputs> =>
    probe.run(new Map([...inputs, ...constants]), lengths);
  const wantsMse = options.mse !== false && (recorded.forward || recorded.losses.has("seq.loss_mse"));
  const mse = wantsMse ? await loadProbe("mse") : null;
  const step = await openStep(program, engine, store, constants);

  const local: (readonly number[])[] = [];
  const mseLosses: number[] = [];
  const stop = Math.min(trace.steps, options.steps ?? trace.steps);
  for (let s = 0; s < stop; s++) {
    const batches: RecordedBatch[] = [];
    for (let rank = 0; rank < trace.ranks; rank++) batches.push(await batchOf(trace, experiment, rank, s));
    if (s === 0 && (recorded.forward || recorded.gradients)) {
      const probe = await loadProbe("smoothL1");
      const outputs: Outputs[] = [];
      for (const batch of batches) outputs.push(await runProbe(probe, batch));
      await results.firstPass(recorded, outputs);
    }
    const [batch] = batches;
    if (mse !== null && batch !== undefined) {
      const outputs = await runProbe(mse, batch);
      mseLosses.push(scalar(outputs, "loss"));
      if (s === 0) await results.firstPassOfMse(recorded, outputs);
    }
    const values = schedules[s];
    if (values === undefined) throw new Error(`internal: there is no schedule for step ${s}`);
    local.push(await step.run(batches, scheduleInputs(values, program, s)));
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
  const momentum = await floatsOf(trace.file, "seq.momentum");
  return Array.from(lr, (learningRate, s) => ({
    learningRate,
    weightDecay: wd[s] ?? Number.NaN,
    momentum: momentum[s] ?? Number.NaN,
  }));
}

function scheduleInputs(values: StepValues, { experiment }: TrainerProgram, step: number): Outputs {
  const scalars = scalarsOf(values, experiment.optimiser, step);
  return new Map(
    (["stepSize", "secondMoment", "decayFactor", "keep", "take"] as const).map((name) => [
      `schedule.${name}`,
      Float32Array.of(scalars[name]),
    ]),
  );
}
