/** One step with all that it computes on the way, and how much rounding alone moves each number of it. */
import type { Engine, HostArray, LoadedFunction, StateStore } from "../engines/engine";
import { constantsOf, engineFunction, inputsOf } from "../loop/functions";
import type { PreparedStep, StepRunner } from "../loop/train-loop";
import type { ReplayProgram } from "./follow";
import type { Outputs } from "./results";

export type State = ReadonlyMap<string, Float32Array>;

/** What a step gives. */
export interface Pass {
  readonly before: State;
  /** By loss, then by micro-batch: what the observer of that loss sees. */
  readonly observed: Readonly<Record<LossName, readonly Outputs[]>>;
  readonly after: State;
  /** Mean of the micro-batches. */
  readonly loss: number;
}

/** That of the objective, and the mean squared error beside it, where the objective has another. */
export type LossName = "own" | "mse";

export interface ObservedStep extends Pass {
  readonly prepared: PreparedStep;
  /** Bytes of each micro-batch. */
  readonly images: readonly Uint8Array[];
  /** The same step from weights that were moved by one rounding each: where it differs, that much is noise. */
  readonly shaken: Pass;
}

export async function observeStep(what: {
  readonly program: ReplayProgram;
  readonly engine: Engine;
  readonly store: StateStore;
  readonly runner: StepRunner;
  readonly nextImages: () => Promise<Uint8Array>;
  /** Steps done before it. */
  readonly step: number;
  /** By how much each weight is moved, as a share of it. */
  readonly relativeNoise: number;
}): Promise<ObservedStep> {
  const { program, engine, store, runner, nextImages, step, relativeNoise } = what;
  const prepared = runner.prepare(step);
  const images: Uint8Array[] = [];
  // A copy: the stream takes its memory back.
  for (let i = 0; i < prepared.microBatches.length; i++) images.push((await nextImages()).slice());

  const load = (name: LossName): Promise<LoadedFunction> =>
    engine.load(
      engineFunction(
        `observe ${name}`,
        name === "mse" ? (program.observers.mse ?? program.observers.own) : program.observers.own,
        program,
      ),
      store,
    );
  const observers = { own: await load("own"), mse: await load("mse") };
  const constants = constantsOf(program);
  const observe = async (name: LossName): Promise<readonly Outputs[]> => {
    const made: Outputs[] = [];
    for (const [i, { batches, lengths }] of prepared.microBatches.entries()) {
      const given = { batch: { images: images[i] ?? missing(), ...(batches[0] ?? missing()) }, constants };
      // A copy: an engine may hand out memory that it writes to again.
      made.push(copied(await observers[name].run(inputsOf(given), lengths)));
    }
    return made;
  };
  const passFrom = async (before: State): Promise<Pass> => {
    const observed = { own: await observe("own"), mse: await observe("mse") };
    let next = 0;
    const { loss } = await runner.run(prepared, async () => images[next++] ?? missing());
    return { before, observed, after: await readAll(store), loss };
  };
  const before = await readAll(store);
  const first = await passFrom(before);
  const moved = shakenState(before, relativeNoise);
  for (const [path, values] of moved) await store.write(path, values);
  return { ...first, prepared, images, shaken: await passFrom(moved) };
}

async function readAll(store: StateStore): Promise<State> {
  const all = new Map<string, Float32Array>();
  for (const path of store.specs.keys()) all.set(path, (await store.read(path)).slice());
  return all;
}

function copied(outputs: Outputs): Outputs {
  return new Map([...outputs].map(([path, values]): [string, HostArray] => [path, values.slice()]));
}

/** Each weight and target up or down, as a hash of its place says; moments stay. */
function shakenState(state: State, share: number): State {
  const moved = (values: Float32Array): Float32Array =>
    values.map((value, i) => value * (1 + ((Math.imul(i + 1, 0x9e3779b1) >>> 31) * 2 - 1) * share));
  return new Map(
    [...state].map(([path, values]) => [path, /^(weights|target)\./.test(path) ? moved(values) : values] as const),
  );
}

function missing(): never {
  throw new Error("internal: a micro-batch without its images");
}
