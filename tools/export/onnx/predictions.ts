/**
 * What a step predicts and what it is held to: target encoder, context encoder and predictor as the compiler builds them
 * (compiler/objectives/ijepa/chains.ts), for one program and a fixed number of images, on onnxruntime.
 */

import type { Chain } from "../../../compiler/ir/stage";
import { chainOf } from "../../../compiler/model/model";
import { buildModel, objectiveOf } from "../../../compiler/objectives";
import type { NumbersOf } from "../../../compiler/objectives/objective";
import type { Network } from "../../../compiler/plan/model-numbers";
import { fromOfficial } from "../../../runtime/checkpoint/official";
import { type ModelWeight, modelBytes } from "../../../runtime/engines/onnx/model";
import { type Handle, Recorder } from "../../../runtime/engines/onnx/recorder";
import { switchOffTelemetry } from "../../../runtime/engines/onnx/telemetry";
import type { IJepaExperiment, Parameter } from "../../../runtime/experiment";
import type { MaskBatch } from "../../../runtime/masks/sampler";
import { blocks, linear, maskToken, norm } from "../../../runtime/model/parameters";
import { positionsOf } from "../../../runtime/model/positions";
import { type ExportSource, encoderNames } from "../source";
import { applyGraph, encoderParameters, handle } from "./graph";
import { normalized } from "./measure";

export interface Predicted {
  /** [targets · contexts · images, T, width]: block after block, for each the contexts, for each the images. */
  readonly predictions: Float32Array;
  /** The same of the target encoder, after its layer norm. */
  readonly targets: Float32Array;
  readonly width: number;
  /** What a decoder makes of both, normalized pixels [targets · contexts · images, T, 3 · patch · patch]; null without one. */
  readonly pixels: { readonly predictions: Float32Array; readonly targets: Float32Array } | null;
}

/** A decoder of representations, as `ijepa decode` has trained it. */
export interface DecoderOfRun {
  /** Of the run; how many images and tokens there are is another matter. */
  readonly numbers: NumbersOf<"ijepa">;
  readonly network: Network;
  /** The values of one of its parameters, in our layout. */
  readonly weight: (parameter: Parameter) => Float32Array;
}

/** The weights lie in the model itself, which has less than 2 GiB. */
const mostBytes = 1e9;

export const tooLarge = "the networks are too large to be put in one model";

export function fitsOneModel({ all }: Pick<ExportSource, "all">): boolean {
  const floats = all
    .filter(({ name }) => !name.startsWith("opt."))
    .reduce((sum, { shape }) => sum + shape.reduce((p, n) => p * n, 1), 0);
  return 4 * floats <= mostBytes;
}

export type Predicting =
  | { readonly ok: true; readonly predicted: Predicted }
  | { readonly ok: false; readonly why: string };

/** `pixels` are bytes [images, 3, height, width], `masks` one set of masks. */
export async function predict(
  source: Pick<ExportSource, "all"> & { readonly experiment: IJepaExperiment },
  pixels: Uint8Array,
  masks: MaskBatch,
  images: number,
  decoder: DecoderOfRun | null = null,
): Promise<Predicting> {
  const { experiment, all } = source;
  const { image, encoder, predictor } = experiment;
  const { C, T, U } = masks.lengths;
  const contexts = experiment.masks.contextCount;
  const projection = all.find(({ name }) => name === "predictor.predictor_proj.bias");
  if (projection?.shape[0] !== encoder.dim) return { ok: false, why: "the experiment predicts pixels" };
  if (!fitsOneModel(source)) return { ok: false, why: tooLarge };

  const numbers: NumbersOf<"ijepa"> = {
    objective: "ijepa",
    imageHeight: image.height,
    imageWidth: image.width,
    patch: image.patch,
    tokens: image.gridHeight * image.gridWidth,
    pixels: "f32",
    images,
    encoder,
    predictor,
    contexts,
    targets: experiment.masks.targetCount,
    sets: 1,
    contextTokens: C,
    targetTokens: T,
    varies: { context: false, target: false, sequence: false },
    targetSpace: "representations",
    targetsMaskedAt: experiment.targetsMaskedAt,
    normalizeTargets: decoder?.numbers.normalizeTargets ?? true,
    loss: "smoothL1",
    regularizer: null,
    operands: "f32",
    dropPath: false,
    classToken: false,
  };
  const model = buildModel(numbers);
  const r = new Recorder([]);
  const weights: ModelWeight[] = [];
  const add = (name: string, shape: readonly number[], values: Float32Array): Handle => {
    const value = r.graph.input(name, "f32", shape);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    weights.push({ name, value, type: "f32", dims: shape, data: bytes });
    return handle(value, shape);
  };
  const place = async (network: string, parameters: readonly Parameter[]): Promise<ReadonlyMap<string, Handle>> => {
    const placed = new Map<string, Handle>();
    for (const parameter of parameters) {
      const name = `${network}.${parameter.officialName}`;
      const tensor = all.find((one) => one.name === name);
      if (tensor === undefined) throw new Error(`internal: the checkpoint has no ${name}`);
      placed.set(parameter.path, add(name, parameter.shape, fromOfficial(parameter, await tensor.read())));
    }
    return placed;
  };
  const ofTarget = await place(encoderNames.target, encoderParameters(experiment));
  const ofContext = await place(encoderNames.context, encoderParameters(experiment));
  const ofPredictor = await place("predictor", predictorParameters(experiment));
  const ofDecoder = decoder === null ? null : decoderWeights(decoder, experiment, add);

  const shapes = {
    images: [images, 3, image.height, image.width],
    contextIndex: [contexts * images, C],
    targetIndex: [images, U],
  } as const;
  const inputs = {
    images: r.graph.input("images", "f32", shapes.images),
    contextIndex: r.graph.input("contextIndex", "i32", shapes.contextIndex),
    targetIndex: r.graph.input("targetIndex", "i32", shapes.targetIndex),
  };
  const run = (chain: Chain, byPath: ReadonlyMap<string, Handle>, from: Handle | null): Handle => {
    const leaves = new Map<string, Handle>([
      ["images", handle(inputs.images, shapes.images)],
      ["contextIndex", { dtype: "i32", shape: shapes.contextIndex, value: inputs.contextIndex }],
      ["targetIndex", { dtype: "i32", shape: shapes.targetIndex, value: inputs.targetIndex }],
    ]);
    for (const name of ["positions", "predictorPositions", "decoderPositions"]) {
      const table = byPath.get(name);
      if (table !== undefined) leaves.set(name, table);
    }
    let running = from;
    for (const { graph, blocks: range } of chain.stages) {
      for (let block = range?.from ?? 0; block < (range?.to ?? 1); block++) {
        running = applyGraph(r, graph, { leaves, byPath, block, running });
      }
    }
    if (running === null) throw new Error(`internal: ${chain.name} has no stages`);
    return running;
  };
  const patches = run(model.images, ofTarget, null);
  const targets = r.full(run(chainOf(model, "target"), ofTarget, patches));
  const predictions = r.full(
    run(chainOf(model, "predictor"), ofPredictor, run(chainOf(model, "context"), ofContext, patches)),
  );
  const outputs = [
    { name: "targets", value: targets },
    { name: "predictions", value: predictions },
  ];
  if (decoder !== null && ofDecoder !== null) {
    const chain = decoderChain(numbers, decoder.network);
    const shape = [experiment.masks.targetCount * contexts * images, T, encoder.dim];
    for (const { name, value } of [...outputs]) {
      outputs.push({ name: `${name} as pixels`, value: r.full(run(chain, ofDecoder, handle(value, shape))) });
    }
  }
  const bytes = modelBytes({
    name: "predictions",
    nodes: r.graph.needed(outputs.map(({ value }) => value)),
    inputs: Object.entries(inputs).map(([name, value]) => ({ name, value })),
    outputs,
    weights,
  });
  switchOffTelemetry();
  const { InferenceSession, Tensor } = await import("onnxruntime-node");
  const session = await InferenceSession.create(bytes);
  try {
    const found = await session.run({
      images: new Tensor("float32", normalized(pixels, experiment), shapes.images),
      contextIndex: new Tensor("int32", masks.contextIndex, shapes.contextIndex),
      targetIndex: new Tensor("int32", masks.targetIndex, shapes.targetIndex),
    });
    const output = (name: string): Float32Array => {
      const data = found[name]?.data;
      if (!(data instanceof Float32Array)) throw new Error(`internal: no ${name} came out`);
      return data;
    };
    const decoded =
      decoder === null ? null : { predictions: output("predictions as pixels"), targets: output("targets as pixels") };
    const predicted = { predictions: output("predictions"), targets: output("targets"), width: encoder.dim };
    return { ok: true, predicted: { ...predicted, pixels: decoded } };
  } finally {
    await session.release();
  }
}

/** The stages that `ijepa decode` has trained, for these images and tokens. */
function decoderChain(numbers: NumbersOf<"ijepa">, network: Network): Chain {
  const model = objectiveOf(numbers.objective).decoder(numbers, network);
  if ("why" in model) throw new Error(`internal: a decoder of nothing: ${model.why}`);
  return chainOf(model, "decoder");
}

function decoderWeights(
  { network, weight }: DecoderOfRun,
  experiment: IJepaExperiment,
  add: (name: string, shape: readonly number[], values: Float32Array) => Handle,
): ReadonlyMap<string, Handle> {
  const placed = new Map<string, Handle>();
  const { gridHeight, gridWidth } = experiment.image;
  const positions = positionsOf(experiment, network.dim);
  placed.set("decoderPositions", add("decoderPositions", [gridHeight * gridWidth, network.dim], positions));
  for (const parameter of decoderParameters(experiment, network)) {
    placed.set(parameter.path, add(parameter.path, parameter.shape, weight(parameter)));
  }
  return placed;
}

/** As its program lists them; nothing is drawn here. */
function decoderParameters(
  { image: { patch }, encoder }: IJepaExperiment,
  { dim, depth, hidden }: Network,
): readonly Parameter[] {
  const std = 0;
  return [
    ...linear({ path: "decoder.embed", official: "embed", inputs: encoder.dim, outputs: dim, std }),
    ...blocks(depth, (i) => ({
      path: `decoder.blocks.${i}`,
      official: `blocks.${i}`,
      width: dim,
      hidden,
      std,
      lastStd: std,
    })),
    ...norm("decoder.norm", "norm", dim),
    ...linear({ path: "decoder.pred", official: "pred", inputs: dim, outputs: 3 * patch * patch, std }),
  ];
}

/** As a trainer lists them; nothing is drawn here, so the deviations of initial weights do not matter. */
function predictorParameters({
  image,
  encoder,
  predictor: { dim, depth, hidden },
}: IJepaExperiment): readonly Parameter[] {
  const std = 0;
  const patches = image.gridHeight * image.gridWidth;
  return [
    {
      path: "predictorPositions",
      shape: [patches, dim],
      officialName: "predictor_pos_embed",
      officialShape: [1, patches, dim],
      transposed: false,
      init: { kind: "zeros" },
    },
    ...maskToken("predictor.maskToken", "mask_token", dim, std),
    ...linear({ path: "predictor.embed", official: "predictor_embed", inputs: encoder.dim, outputs: dim, std }),
    ...blocks(depth, (i) => ({
      path: `predictor.blocks.${i}`,
      official: `predictor_blocks.${i}`,
      width: dim,
      hidden,
      std,
      lastStd: std,
    })),
    ...norm("predictor.norm", "predictor_norm", dim),
    ...linear({ path: "predictor.proj", official: "predictor_proj", inputs: dim, outputs: encoder.dim, std }),
  ];
}
