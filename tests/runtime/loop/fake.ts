/** A run without an engine, images or a terminal: each of them a few lines that a test can look into. */
import { Writable } from "node:stream";
import type { Engine, EngineFunction, HostArray, StateStore, TensorSpecs } from "../../../runtime/engines/engine";
import type { Experiment, IJepaExperiment, TrainerProgram } from "../../../runtime/experiment";
import type { ImageStream, TrainerEnvironment } from "../../../runtime/loop/environment";
import { objectives } from "../../../runtime/objectives";
import { blocks, constant, f32, i32, u8 } from "../../../runtime/step/trees";
import { tinyExperiment, tinyParameters } from "./tiny";

export interface FakeStore extends StateStore {
  readonly values: Map<string, Float32Array>;
}

function createStore(specs: TensorSpecs): FakeStore {
  const values = new Map<string, Float32Array>();
  return {
    specs,
    values,
    read: async (path) => {
      const found = values.get(path);
      if (found === undefined) throw new Error(`${path} was never written`);
      return found.slice();
    },
    write: async (path, given) => {
      if (!specs.has(path)) throw new Error(`${path} is not of the store`);
      values.set(path, given.slice());
    },
  };
}

/** A number that depends on every input: a step that is given anything else comes out different. */
function digest(inputs: ReadonlyMap<string, HostArray>): number {
  let sum = 0;
  for (const [path, values] of inputs) {
    for (const [i, value] of values.entries()) sum = (sum * 31 + path.length + i + value * 1000) % 9973;
  }
  return sum / 9973;
}

export interface FakeEngine extends Engine {
  /** Names of the functions that ran, in order. */
  readonly calls: string[];
  readonly stores: FakeStore[];
  readonly loaded: EngineFunction[];
}

/**
 * Updates every weight by something that depends on all it read and was given. `lossAt` replaces the loss of the calls it
 * gives a number for (calls of the step or of accumulate, from 0).
 */
export function fakeEngine(lossAt: (call: number) => number | null = () => null): FakeEngine {
  const calls: string[] = [];
  const stores: FakeStore[] = [];
  const loaded: EngineFunction[] = [];
  let losses = 0;
  return {
    name: "reference",
    description: "a fake engine",
    calls,
    stores,
    loaded,
    createStore: (specs) => {
      const store = createStore(specs);
      stores.push(store);
      return store;
    },
    load: async (fn, store) => {
      loaded.push(fn);
      const { values } = store as FakeStore; // made by createStore above
      return {
        run: async (inputs) => {
          calls.push(fn.name);
          for (const path of fn.inputs.keys()) {
            if (!inputs.has(path)) throw new Error(`${fn.name} was not given ${path}`);
          }
          const seed = digest(inputs);
          if (fn.name === "features") return new Map([["features", new Float32Array(16).fill(seed)]]);
          const changes: Readonly<Record<string, readonly string[]>> = {
            step: ["weights", "m", "v", "target"],
            accumulate: ["gradients"],
            update: ["weights", "m", "v", "target", "gradients"],
          };
          let sum = 0;
          for (const path of fn.reads) {
            const tensor = values.get(path);
            if (tensor === undefined) throw new Error(`${path} was never written`);
            const root = path.split(".")[0] ?? "";
            for (const [i, value] of tensor.entries()) {
              sum += value;
              if (changes[fn.name]?.includes(root) !== true) continue;
              const isCleared = fn.name === "update" && root === "gradients";
              tensor[i] = isCleared ? 0 : 0.9 * value + 0.01 * Math.sin(seed + i + sum);
            }
          }
          if (fn.name === "update") return new Map();
          const loss = lossAt(losses++) ?? Math.abs(Math.sin(sum)) + 0.1;
          return new Map([["loss", Float32Array.of(loss)]]);
        },
        release: async () => {},
      };
    },
    release: async () => {},
  };
}

/** Images that depend on their place in the run alone. */
export function fakeImages(
  experiment: Experiment,
  fromStep: number,
  failAt: number | null = null,
): ImageStream & { taken: number } {
  const { deviceBatch, accumulation } = experiment.optimizer;
  const size = deviceBatch * 3 * experiment.image.height * experiment.image.width;
  const stream = {
    workers: 0,
    taken: fromStep * accumulation,
    next: async () => {
      if (stream.taken === failAt) throw new Error("the disk is gone");
      const values = new Uint8Array(size).fill(stream.taken);
      stream.taken++;
      return values;
    },
    close: async () => {},
  };
  return stream;
}

export interface Captured {
  text: string;
}

export function captured(): { readonly stream: NodeJS.WriteStream; readonly out: Captured } {
  const out: Captured = { text: "" };
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      out.text += String(chunk);
      done();
    },
  });
  // Only write and isTTY are used, and a stream that is no terminal has no isTTY.
  return { stream: stream as NodeJS.WriteStream, out };
}

export function tinyProgram(
  changes: Partial<IJepaExperiment> = {},
  kind: "step" | "accumulate" = "accumulate",
): TrainerProgram {
  const accumulation = kind === "step" ? 1 : 2;
  const optimizer = { ...tinyExperiment.optimizer, accumulation, globalBatch: 2 * accumulation };
  const never = (): never => {
    throw new Error("the fake engine does not run generated code");
  };
  const experiment = { ...tinyExperiment, optimizer, ...changes };
  const { image, encoder, predictor, masks, dropPath } = experiment;
  const { deviceBatch } = experiment.optimizer;
  const rows = deviceBatch * masks.contextCount;
  const tokens = image.gridHeight * image.gridWidth;
  const whole = ["weights", "m", "v", "target"] as const;
  const batch = {
    images: u8(deviceBatch, 3, image.height, image.width),
    contextIndex: i32(rows, "C"),
    targetIndex: i32(deviceBatch, "U"),
    ...(dropPath > 0 ? { dropPath: blocks(encoder.depth, { attn: f32(rows), mlp: f32(rows) }) } : {}),
  };
  const schedule = { stepSize: f32(), secondMoment: f32(), decayFactor: f32(), keep: f32(), take: f32() };
  const constants = {
    positions: constant(tokens, encoder.dim),
    predictorPositions: constant(tokens, predictor.dim),
    pixelMean: constant(3),
    pixelStd: constant(3),
  };
  return {
    experiment,
    objective: objectives.ijepa,
    parameters: tinyParameters,
    state: kind === "step" ? whole : [...whole, "gradients"],
    lengths: ["C", "T", "S", "U"],
    functions:
      kind === "step"
        ? [{ name: "step", every: "micro-batch", reads: whole, inputs: { batch, schedule, constants }, run: never }]
        : [
            {
              name: "accumulate",
              every: "micro-batch",
              reads: ["weights", "target", "gradients"],
              inputs: { batch, constants },
              run: never,
            },
            { name: "update", every: "step", reads: [...whole, "gradients"], inputs: { schedule }, run: never },
          ],
    features: {
      reads: ["target"],
      inputs: {
        images: batch.images,
        pixelMean: constants.pixelMean,
        pixelStd: constants.pixelStd,
        positions: constants.positions,
      },
      run: never,
    },
  };
}

export function fakeEnvironment(
  engine: FakeEngine,
  changes: Partial<TrainerEnvironment> = {},
): TrainerEnvironment & { readonly out: Captured } {
  const { stream, out } = captured();
  return {
    createEngine: async () => engine,
    openImages: async ({ experiment, fromStep }) => fakeImages(experiment, fromStep),
    openEvaluation: async () => null,
    machineBytes: 2 ** 34,
    stepMemory: null,
    stdout: stream,
    stderr: stream,
    script: "/somewhere/train.js",
    args: [],
    variables: {},
    out,
    ...changes,
  };
}
