/** step.ts: the training step of one experiment, and features.ts: the encoder that its probes look through. */
import type { TrainedChain, TrainedModel } from "../autodiff/trained";
import type { Leaf } from "../ir/graph";
import type { Dim } from "../ir/number";
import type { Chain } from "../ir/stage";
import type { Dims } from "../model/dims";
import type { Plan } from "../plan/plan";
import { imageCalls, inferenceCalls } from "../step/build";
import { type Call, callsOf, type EachCall, type Trainer } from "../step/step";
import { type BodySettings, bodyOf, treeCode } from "./calls";
import { allUses } from "./code";
import {
  actsInterface,
  aligned,
  backwardFunction,
  forwardFunction,
  inferenceFunction,
  keptValues,
  type Line,
  lossGradientFunction,
} from "./functions";
import { indent } from "./layout";
import type { EmitSettings, Numbers } from "./numbers";
import { render } from "./render";
import { inputFields, stateFields } from "./trees";
import { tensorType, typeArguments, typeParameters } from "./types";

const RULE_WIDTH = 112;

/** The rule that fills a section heading up to the width of the file. */
const ruleAfter = (title: string): string => "─".repeat(Math.max(3, RULE_WIDTH - title.length));

function allDims(dims: Dims): readonly Dim[] {
  const { encoder, predictor } = dims;
  const list = [
    dims.images,
    dims.patches,
    dims.values,
    ...[encoder, predictor].flatMap((of) => [of.width, of.qkv, of.heads, of.headWidth, of.hidden]),
    ...(dims.contextRows === dims.images ? [] : [dims.contextRows]),
    dims.predictorRows,
    ...dims.lengths,
  ];
  return list;
}

/** `const D = 192; type D = typeof D; // width of a token` for every axis that is the same in all programs. */
function sizeLines(dims: Dims, numbers: Numbers): readonly string[] {
  return [
    aligned(
      allDims(dims)
        .filter((dim) => !dim.varies)
        .map(
          (dim, i): Line => ({
            code: `export const ${dim.name} = ${numbers.size(dim, i)}; export type ${dim.name} = typeof ${dim.name};`,
            note: numbers.remark(dim.counts),
          }),
        ),
    ),
  ];
}

function trainedFunctions(chain: TrainedChain, numbers: Numbers): readonly string[] {
  return chain.stages.flatMap(({ gradients }) => [
    actsInterface(gradients),
    forwardFunction(gradients, numbers),
    backwardFunction(gradients, numbers),
  ]);
}

/** How the calls of this experiment's functions are written. */
export const settingsOf = ({ experiment }: Plan): BodySettings => ({
  depths: { encoder: experiment.encoder.depth, predictor: experiment.predictor.depth },
});

export function emitStep({ plan, model, step }: Trainer, { numbers }: EmitSettings): string {
  const { dims } = model;
  const { experiment } = plan;
  const lengths = varying(dims.lengths);
  const batch = varying([dims.context, dims.allTargets]);
  const inference = ({ stages }: Chain): readonly string[] =>
    stages.map((stage) => inferenceFunction(stage.graph, numbers).text);
  const loss = [inferenceFunction(model.loss.forward, numbers), lossGradientFunction(model.loss, numbers)];
  const sections = [
    { title: model.images.title, functions: inference(model.images) },
    { title: model.target.title, functions: inference(model.target) },
    { title: model.context.title, functions: trainedFunctions(model.context, numbers) },
    { title: model.predictor.title, functions: trainedFunctions(model.predictor, numbers) },
    { title: "Loss", functions: loss.map(({ text }) => text) },
  ];
  const bodies = step.functions.map(({ sections }) => bodyOf(sections, settingsOf(plan)));
  const [first, second] = bodies;
  const unnamed = step.functions.flatMap(callsOf).find(isUnnamed);
  const summed = unnamed && treeCode(unnamed);
  const clips = plan.clipNorm !== null;
  return render("step.ts", {
    helpers: [
      ...allUses([...bodies.map(({ uses }) => uses), ...(summed === undefined ? [] : [summed.uses])]).helpers,
      ...(step.shards === 1 ? [] : ["type Shards"]),
    ],
    shards: step.shards > 1,
    usesBytes: plan.model.pixels === "u8",
    usesBfloat16: [model.context, model.predictor].some(keepsBfloat16),
    clipNorm: clips,
    sizes: sizeLines(dims, numbers),
    lengths: lengths.length > 0,
    lengthParameters: typeParameters(lengths),
    lengthArguments: typeArguments(lengths),
    allLengths: dims.lengths.map(({ name, counts }) => ({ name, counts: numbers.remark(counts) })),
    encoderDepth: numbers.remark(experiment.encoder.depth),
    predictorDepth: numbers.remark(experiment.predictor.depth),
    outputWidth: plan.model.targetSpace === "pixels" ? dims.values.name : dims.encoder.width.name,
    accumulates: second !== undefined,
    accumulation: numbers.remark(experiment.optimiser.accumulation),
    batchParameters: typeParameters(batch),
    batchArguments: typeArguments(batch),
    stepParameters: typeParameters(lengths),
    state: stateFields(step),
    batch: inputFields(step, "batch"),
    schedule: inputFields(step, "schedule"),
    constants: inputFields(step, "constants"),
    readsTarget: plan.model.targetSpace === "representations",
    chains: sections.map(({ title, functions }) => ({ title, rule: ruleAfter(title), functions })),
    body: indent(first?.lines ?? []),
    update: indent(second?.lines ?? []),
    summed: summed?.text ?? "",
    stepOutputs: clips ? "{ readonly loss: Scalar; readonly norm: Scalar }" : "{ readonly loss: Scalar }",
    updateOutputs: clips ? "{ readonly norm: Scalar }" : "Readonly<Record<string, never>>",
  });
}

const keepsBfloat16 = ({ stages }: TrainedChain): boolean =>
  stages.some(({ gradients }) => keptValues(gradients).some(({ dtype }) => dtype === "bf16"));

const isUnnamed = (call: Call): call is EachCall => call.kind === "each" && call.gives[0]?.name === "";

export const varying = (dims: readonly Dim[]): readonly Dim[] => dims.filter((dim) => dim.varies);

/** What features.ts is handed: what its stages read of the step's trees, under the last names of their paths. */
export function featureInputs({ images, features }: Pick<TrainedModel, "images" | "features">): readonly Leaf[] {
  const read = [...images.stages, ...features.stages].flatMap(({ graph }) => graph.inputs.map(({ leaf }) => leaf));
  return [...new Set(read.filter((leaf) => leaf !== undefined))];
}

export function emitFeatures({ plan, model }: Trainer, { numbers }: EmitSettings): string {
  const shared = new Set([...model.images.stages, ...model.target.stages].map((stage) => stage.graph.name));
  const own = model.features.stages.filter((stage) => !shared.has(stage.graph.name));
  const functions = own.map((stage) => inferenceFunction(stage.graph, numbers));
  const [images, patches] = imageCalls(model);
  const [calls, last] = inferenceCalls(model.features, {
    running: "h",
    result: "features",
    part: "target encoder",
    input: patches,
  });
  const body = bodyOf([{ title: null, calls: [...images, ...calls] }], {
    ...settingsOf(plan),
    leaf: ({ path }) => path,
  });
  const ownNames = new Set(own.map((stage) => stage.graph.name));
  const { types, values, helpers } = allUses([
    { types: ["B", "D", "N", "Encoder"], values: [], helpers: [] },
    ...functions.map(({ uses }) => uses),
    body.uses,
  ]);
  const valueImports = values.filter((name) => !ownNames.has(name));
  return render("features.ts", {
    // An axis is a number and a type of one name; importing the number brings both.
    typeImports: types.filter((name) => !valueImports.includes(name)),
    valueImports,
    needsBlockAt: helpers.includes("blockAt"),
    functions: functions.map(({ text }) => text),
    inputs: featureInputs(model).map(({ path, ...leaf }) => ({ name: path, type: tensorType(leaf) })),
    usesBytes: plan.model.pixels === "u8",
    body: indent(body.lines),
    result: body.valueOf(last),
  });
}
