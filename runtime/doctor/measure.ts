/** The step of an experiment, run and timed on one engine: what `ijepa doctor` and the benchmark have in common. */
import type { Engine, HostArray, TensorSpec } from "../engines/engine";
import type { TrainerProgram } from "../experiment";
import { constantsOf, firstLengths, inputsOf, stepEngineFunctions } from "../loop/functions";
import { stateSpecs, writeInitialState } from "../loop/state";
import { type Random, randomAt } from "../random/random";
import { scheduleTree } from "../schedules/schedules";
import type { Lengths } from "../step/lengths";

export interface MeasureOptions {
  /** Left out: those of the first program. */
  readonly lengths?: Lengths;
  /** Untimed steps before the others: an engine plans, compiles and allocates in the first. */
  readonly warmup: number;
  /** Timed steps at least; and as many as begin before the seconds are over. */
  readonly steps: number;
  readonly seconds?: number;
  /** Steps that follow the timed ones, handed over two at a time: as a trainer does where an engine queues them. */
  readonly queued?: number;
  /** No step begins after this many seconds, but the first of each kind: for engines that need minutes for one. */
  readonly limitSeconds?: number;
}

export interface Measurement {
  readonly loadSeconds: number;
  /** Of each timed step. */
  readonly seconds: readonly number[];
  /** Processor time of one timed step, over all threads. */
  readonly cpuSecondsPerStep: number;
  /** Of one of the queued steps; null where there were none. */
  readonly queuedSeconds: number | null;
  /** Of every timed or untimed step, untimed ones first. The same inputs at each, so only the weights change it. */
  readonly losses: readonly number[];
}

/** Runs steps on numbers that depend on nothing but the experiment. */
export async function measureStep(
  program: TrainerProgram,
  engine: Engine,
  options: MeasureOptions,
): Promise<Measurement> {
  const { experiment, parameters } = program;
  const { microBatch, update } = stepEngineFunctions(program);
  if (update !== null) throw new Error("internal: only a step without accumulation is measured");
  const store = engine.createStore(stateSpecs(parameters, program.state));
  const started = performance.now();
  const lengths = options.lengths ?? firstLengths(experiment);
  // The one program that is timed: an engine that makes others meanwhile would take processors from it.
  const loading = engine.load({ ...microBatch, programs: [{ lengths, probability: 1 }] }, store).then((step) => {
    return { step, loadSeconds: (performance.now() - started) / 1000 };
  });
  // It is met below; until then it must not end the process.
  loading.catch(() => undefined);
  // Meanwhile, where the engine compiles elsewhere: the weights of ViT-H/14 take half a minute.
  await writeInitialState(store, parameters, 0);
  const { step, loadSeconds } = await loading;
  const tokens = experiment.image.gridHeight * experiment.image.gridWidth;
  const random = randomAt({ seed: 0, purpose: "bench" });
  const inputs = new Map(inputsOf({ constants: constantsOf(program), schedule: scheduleTree(someScalars) }));
  for (const [path, spec] of microBatch.inputs) {
    if (!inputs.has(path)) inputs.set(path, inputOf(spec, { lengths, tokens, random }));
  }
  const seconds: number[] = [];
  const losses: number[] = [];
  const run = async (): Promise<void> => {
    const outputs = await step.run(inputs, { ...lengths });
    losses.push(outputs.get("loss")?.[0] ?? Number.NaN);
  };
  const limitMs = (options.limitSeconds ?? Number.POSITIVE_INFINITY) * 1000;
  const warmupBegun = performance.now();
  for (let i = 0; i < options.warmup; i++) {
    await run();
    if (performance.now() - warmupBegun > limitMs) break;
  }
  const cpuBefore = process.cpuUsage();
  const begun = performance.now();
  const isEnough = (): boolean => {
    const elapsedMs = performance.now() - begun;
    if (seconds.length === 0) return false;
    return elapsedMs > limitMs || (seconds.length >= options.steps && elapsedMs >= (options.seconds ?? 0) * 1000);
  };
  while (!isEnough()) {
    const before = performance.now();
    await run();
    seconds.push((performance.now() - before) / 1000);
  }
  const cpu = process.cpuUsage(cpuBefore);
  const cpuSecondsPerStep = (cpu.user + cpu.system) / 1e6 / seconds.length;
  const queuedSeconds = await timeQueued(options.queued ?? 0, () => step.run(inputs, { ...lengths }));
  await step.release();
  return { loadSeconds, seconds, cpuSecondsPerStep, queuedSeconds, losses };
}

async function timeQueued(steps: number, run: () => Promise<unknown>): Promise<number | null> {
  if (steps === 0) return null;
  const begun = performance.now();
  let before: Promise<unknown> = Promise.resolve();
  for (let i = 0; i < steps; i++) {
    const next = run();
    // A failure shows where it is awaited.
    next.catch(() => {});
    await before;
    before = next;
  }
  await before;
  return (performance.now() - begun) / 1000 / steps;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const someScalars = { stepSize: 1e-4, secondMoment: 1, decayFactor: 1 - 1e-4 * 0.05, keep: 0.996, take: 0.004 };

interface InputSizes {
  readonly lengths: Lengths;
  /** Patches of an image: indices are below. */
  readonly tokens: number;
  readonly random: Random;
}

/** Numbers of the right kind: which ones makes no difference to the time. */
function inputOf(spec: TensorSpec, { lengths, tokens, random }: InputSizes): HostArray {
  const sizes: Readonly<Record<string, number>> = { ...lengths };
  const shape = spec.shape.map((size) => (typeof size === "number" ? size : (sizes[size] ?? 0)));
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  if (spec.dtype === "f32") {
    random.fillNormal(values, 1);
    return values;
  }
  if (spec.dtype === "u8") return Uint8Array.from(values, () => Math.floor(256 * random.uniform()));
  const last = shape.at(-1) ?? 1;
  const start = Int32Array.from({ length: shape[0] ?? 1 }, () => Math.floor(random.uniform() * tokens));
  // A step of 37 tokens visits every patch of a grid once before it comes back, where 37 does not divide it.
  return Int32Array.from(values, (_, i) => ((start[Math.floor(i / last)] ?? 0) + (i % last) * 37) % tokens);
}
