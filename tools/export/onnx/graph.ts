/**
 * The encoder as one ONNX graph with a free number of images: the compiler's own stages (compiler/model/encoder.ts), each op
 * lowered to ops of the ONNX standard.
 */
import type { Graph as IrGraph } from "../../../compiler/ir/graph";
import { sizeOf } from "../../../compiler/ir/number";
import { encoderStages, pooledStage } from "../../../compiler/model/encoder";
import type { BaseNumbers } from "../../../compiler/plan/model-numbers";
import type { Value } from "../../../runtime/engines/onnx/graph";
import { lowerings } from "../../../runtime/engines/onnx/lowering/table";
import type { ModelParts } from "../../../runtime/engines/onnx/model";
import { type Handle, Recorder } from "../../../runtime/engines/onnx/recorder";
import { kernelOf } from "../../../runtime/engines/table";
import type { Experiment, Parameter } from "../../../runtime/experiment";
import { blocks, linear, maskToken, norm } from "../../../runtime/model/parameters";
import { type AttrValue, outputShapes } from "../../../runtime/ops/adapter";
import { type ExportPrecision, placeWeight, type Stored } from "./weights";

/** The one free size of the graph. */
const BATCH = "batch";
const INPUT = "pixel_values";
export const OUTPUT = "last_hidden_state";

/** Mean over the patches after block depth − 1 − `layer` and the final norm: [batch, width]. */
export const pooledOutput = (layer: number): string => `pooled_${layer}`;

export interface EncoderGraph {
  readonly parts: ModelParts;
  /** Where each weight goes, in the order of the official state dict; position embeddings first. */
  readonly weights: readonly { readonly parameter: Parameter; readonly stored: readonly Stored[] }[];
}

/** `pooledLayers`: so many of the last blocks have a second output each, for probes (`pooledOutput`). */
export function encoderGraph(experiment: Experiment, precision: ExportPrecision, pooledLayers = 0): EncoderGraph {
  const r = new Recorder([BATCH]);
  const { height, width } = experiment.image;
  const placed = encoderParameters(experiment).map((parameter) => ({
    parameter,
    ...placeWeight[precision](r.graph, parameter),
  }));
  const byPath = new Map(placed.map(({ parameter: { path, shape }, value }) => [path, handle(value, shape)]));
  const pixels = [-1, 3, height, width];
  const images = handle(r.graph.input(INPUT, "f32", r.dims(pixels)), pixels);
  const leaves = new Map([
    ["images", images],
    ["positions", found(byPath, "positions")],
  ]);
  if (hasClassToken(experiment)) leaves.set("classPosition", zeroRow(r, images, found(byPath, "positions")));
  let hidden: Handle | null = null;
  const ofBlocks: Handle[] = [];
  const numbers = numbersOf(experiment);
  for (const { graph, blocks: range } of encoderStages(numbers)) {
    for (let block = range?.from ?? 0; block < (range?.to ?? 1); block++) {
      hidden = applyGraph(r, graph, { leaves, byPath, block, running: hidden });
      if (range !== undefined) ofBlocks.push(hidden);
    }
  }
  if (hidden === null) throw new Error("internal: an encoder without stages");
  const output = r.full(hidden);
  const pooledFeatures = pooledStage(numbers).graph;
  const pooled = ofBlocks
    .slice(ofBlocks.length - pooledLayers)
    .map((running): Value => r.full(applyGraph(r, pooledFeatures, { leaves, byPath, block: 0, running })));
  return {
    parts: {
      name: "encoder",
      nodes: r.graph.needed([output, ...pooled]),
      inputs: [{ name: INPUT, value: images.value }],
      outputs: [
        { name: OUTPUT, value: output },
        ...pooled.reverse().map((value, layer) => ({ name: pooledOutput(layer), value })),
      ],
    },
    weights: placed,
  };
}

/** Whether a class token goes through the encoder before the patches. */
export const hasClassToken = (experiment: Experiment): boolean => "classToken" in experiment && experiment.classToken;

/** [images, 1, width] of zeros, for however many images: those of a graph are not known before it runs. */
function zeroRow(r: Recorder, images: Handle, positions: Handle): Handle {
  const [batch = BATCH] = images.value.dims;
  const ofEach = r.reshape(r.reduce("ReduceMean", r.full(images), [1, 2, 3], true), [batch, 1, 1]);
  const zeros = r.mul(r.times(ofEach, 0), r.reduce("ReduceMean", r.full(positions), [0], true));
  return handle(zeros, [-1, 1, positions.shape[1] ?? 1]);
}

export const handle = (value: Value, shape: readonly number[]): Handle => ({ dtype: "f32", shape, value });

function found<T>(map: ReadonlyMap<string, T>, name: string): T {
  const value = map.get(name);
  if (value === undefined) throw new Error(`internal: the encoder has no ${name}`);
  return value;
}

interface Surroundings {
  /** Leaves of the step's trees that an encoder reads. */
  readonly leaves: ReadonlyMap<string, Handle>;
  readonly byPath: ReadonlyMap<string, Handle>;
  /** Which block a repeated graph stands for. */
  readonly block: number;
  /** Result of the stage before. */
  readonly running: Handle | null;
}

/** Lowers a graph of the compiler op by op; gives its one result. */
export function applyGraph(r: Recorder, graph: IrGraph, { leaves, byPath, block, running }: Surroundings): Handle {
  const values = new Map<string, Handle>();
  for (const { name, leaf } of graph.inputs) {
    const given = leaf === undefined ? running : found(leaves, leaf.path);
    if (given !== null) values.set(name, given);
  }
  for (const { path, parameters } of graph.groups) {
    const at = path.replace("*", String(block));
    for (const { name, parameter } of parameters) {
      // A group of one tensor has no name for it.
      const below = parameter?.path ?? "";
      values.set(name, found(byPath, below === "" ? at : `${at}.${below}`));
    }
  }
  for (const { op, inputs, attrs, outputs } of graph.nodes) {
    const handles = inputs.map(({ name }) => found(values, name));
    const numbers = Object.fromEntries(
      Object.entries(attrs).map(([name, value]): [string, AttrValue] => [
        name,
        typeof value === "boolean" ? value : sizeOf(value),
      ]),
    );
    const shapes = outputShapes(
      op,
      handles.map(({ shape }) => shape),
      numbers,
    );
    const results = kernelOf(lowerings.interchange, op)(r, handles, numbers, shapes);
    for (const [i, { name }] of outputs.entries()) {
      const [value, shape] = [results[i], shapes[i]];
      if (value === undefined || shape === undefined) throw new Error(`internal: ${op} gave too few tensors`);
      values.set(name, handle(value, shape));
    }
  }
  return found(values, graph.outputs[0]?.name ?? "");
}

/** Names and shapes of the encoder's tensors in an official state dict. */
export function encoderShapes(
  experiment: Experiment,
): readonly { readonly name: string; readonly shape: readonly number[] }[] {
  return encoderParameters(experiment).map(({ officialName, officialShape }) => ({
    name: officialName,
    shape: officialShape,
  }));
}

/** The encoder's weights, and its position embeddings as one more. */
export function encoderParameters(experiment: Experiment): readonly Parameter[] {
  const { image, encoder } = experiment;
  const { dim, depth, hidden } = encoder;
  const { patch } = image;
  const patches = (image.height / patch) * (image.width / patch);
  const positions: Parameter = {
    path: "positions",
    shape: [patches, dim],
    officialName: "pos_embed",
    officialShape: [1, patches, dim],
    transposed: false,
    init: { kind: "zeros" },
  };
  // Nothing is drawn here, so the deviations of initial weights do not matter.
  const std = 0;
  return [
    positions,
    ...(hasClassToken(experiment) ? maskToken("encoder.classToken", "cls_token", dim, std) : []),
    ...linear({
      path: "encoder.patchEmbed",
      official: "patch_embed.proj",
      inputs: 3 * patch * patch,
      outputs: dim,
      std,
      kernel: [3, patch, patch],
    }),
    ...blocks(depth, (i) => ({
      path: `encoder.blocks.${i}`,
      official: `blocks.${i}`,
      width: dim,
      hidden,
      std,
      lastStd: std,
    })),
    ...norm("encoder.norm", "norm", dim),
  ];
}

/** The numbers that the stages of an encoder read. */
function numbersOf(experiment: Experiment): BaseNumbers {
  const { image, encoder } = experiment;
  return {
    imageHeight: image.height,
    imageWidth: image.width,
    patch: image.patch,
    tokens: (image.height / image.patch) * (image.width / image.patch),
    // Whoever runs the model has normalized them: so do the processors of all libraries.
    pixels: "f32",
    images: 1,
    encoder,
    operands: "f32",
    dropPath: false,
    classToken: hasClassToken(experiment),
  };
}
