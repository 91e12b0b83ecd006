/**
 * The entry of a compiled decoder: trains it on what the frozen target encoder of a checkpoint gives for target blocks, and
 * writes it. Equal requests give equal bytes. It ends with 0 where the file is written, 2 where it is not.
 */
import { fromOfficial, toOfficial } from "../checkpoint/official";
import { openSafetensors, type TensorToWrite, writeSafetensors } from "../checkpoint/safetensors";
import type { EngineFunction, StateStore } from "../engines/engine";
import { openEngine } from "../engines/open";
import { errorText } from "../error-text";
import { decoderNotFinite } from "../errors";
import { constantsOf, firstLengths, inputSpecs, inputsOf } from "../loop/functions";
import { stateSpecs, targetPath, writeZeros } from "../loop/state";
import { initialValues } from "../model/initialize";
import { positionsOf } from "../model/positions";
import { scheduleAt, scheduleTree } from "../schedules/schedules";
import { decoderTensors } from "./decoder-file";
import type { DecodeRequest, DecoderProgram } from "./request";
import { openTrainingImages } from "./training-images";

/** How often the loss is told, in shares of the whole. */
const tellings = 10;

export function trainDecoder(program: DecoderProgram): void {
  // The command passes what it made of its own arguments; nobody else starts it.
  const request = JSON.parse(process.argv[2] ?? "null") as DecodeRequest;
  train(program, request).catch((error: unknown) => {
    process.exitCode = 2;
    process.stderr.write(`${errorText(error)}\n`);
  });
}

async function train(program: DecoderProgram, request: DecodeRequest): Promise<void> {
  const { experiment, objective, parameters, frozen } = program;
  const note = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const { engine: name, device } = experiment.hardware;
  const engine = await openEngine(name, { threads: request.threads, device, note });
  try {
    const store = engine.createStore(
      new Map([...stateSpecs(parameters, ["weights", "m", "v"]), ...stateSpecs(frozen, ["target"])]),
    );
    await writeFrozen(store, request.checkpoint, frozen);
    for (const parameter of parameters) {
      await store.write(`weights.${parameter.path}`, initialValues(parameter, experiment.seed));
    }
    await writeZeros(store, ["m", "v"]);
    const step = await engine.load(engineFunctionOf(program), store);
    const constants = {
      ...constantsOf(program),
      decoderPositions: positionsOf(experiment, widthOf(program)),
    };
    const images = await openTrainingImages(experiment, request.dataRoot, note);
    const { schedule, optimizer } = experiment;
    note(`${images.count} training images, ${schedule.steps} steps of ${optimizer.deviceBatch}`);
    const every = Math.max(1, Math.floor(schedule.steps / tellings));
    const told: { step: number; loss: number }[] = [];
    let sum = 0;
    for (let at = 0; at < schedule.steps; at++) {
      const { lengths, batch } = objective.batch(experiment, { step: at, firstImage: 0 });
      const inputs = inputsOf({
        batch: { ...batch, images: images.batchOf(at) },
        constants,
        schedule: scheduleTree(scheduleAt(schedule, optimizer, at)),
      });
      const loss = (await step.run(inputs, lengths)).get("loss")?.[0] ?? Number.NaN;
      if (!Number.isFinite(loss)) throw decoderNotFinite({ step: at + 1, loss });
      sum += loss;
      if ((at + 1) % every !== 0) continue;
      told.push({ step: at + 1, loss: sum / every });
      note(`step ${at + 1} of ${schedule.steps}, mean squared error ${(sum / every).toFixed(4)} (normalized pixels)`);
      sum = 0;
    }
    await step.release();
    await write(program, request, store, { losses: told, images: images.count, mean: images.mean });
  } finally {
    await engine.release();
  }
}

/** The target encoder, as the checkpoint has it. */
async function writeFrozen(store: StateStore, path: string, frozen: DecoderProgram["frozen"]): Promise<void> {
  const file = await openSafetensors(path);
  try {
    for (const parameter of frozen) {
      const values = await file.readFloats(`target_encoder.${parameter.officialName}`, parameter.officialShape);
      await store.write(targetPath(parameter.path), fromOfficial(parameter, values));
    }
  } finally {
    await file.close();
  }
}

function engineFunctionOf({ experiment, parameters, frozen, lengths, step }: DecoderProgram): EngineFunction {
  const inputs = inputSpecs(step);
  const varies = [...inputs.values()].some(({ shape }) => shape.some((size) => typeof size === "string"));
  const fixed = firstLengths(experiment);
  const trained = step.reads.filter((name) => name !== "target");
  return {
    name: "step",
    reads: [...stateSpecs(parameters, trained).keys(), ...stateSpecs(frozen, ["target"]).keys()],
    inputs,
    lengths: varies ? lengths : [],
    run: (ops, state, given, values) => step.run(ops, state, given, { ...fixed, ...values }),
  };
}

/** Of a token in the decoder: its table of positions has it. */
function widthOf({ step }: DecoderProgram): number {
  const [, width] = inputSpecs(step).get("constants.decoderPositions")?.shape ?? [];
  if (typeof width !== "number") throw new Error("internal: a decoder without positions");
  return width;
}

async function write(
  { experiment, parameters }: DecoderProgram,
  { out, metadata }: DecodeRequest,
  store: StateStore,
  made: {
    readonly losses: readonly { readonly step: number; readonly loss: number }[];
    readonly images: number;
    readonly mean: Float32Array;
  },
): Promise<void> {
  const { height, width } = experiment.image;
  const weights = parameters.map((parameter): TensorToWrite => {
    const { officialName, officialShape } = parameter;
    return {
      name: `decoder.${officialName}`,
      dtype: "F32",
      shape: officialShape,
      values: async () => toOfficial(parameter, await store.read(`weights.${parameter.path}`)),
    };
  });
  const mean: TensorToWrite = {
    name: decoderTensors.meanImage,
    dtype: "F32",
    shape: [3, height, width],
    values: () => made.mean,
  };
  const said = { ...metadata, losses: JSON.stringify(made.losses), images: String(made.images) };
  await writeSafetensors(out, { metadata: said, tensors: [...weights, mean] });
}
