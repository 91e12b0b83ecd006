/** step.ts: the training step of one experiment, and features.ts: the encoder that its probes look through. */
import type { TrainedChain } from "../autodiff/trained";
import type { Dim } from "../ir/number";
import type { Dims } from "../model/dims";
import type { Plan } from "../plan/plan";
import { inferenceCalls } from "../step/build";
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
import { render } from "./render";
import { inputFields, stateFields } from "./trees";
import { typeArguments, typeParameters } from "./types";

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
function sizeLines(dims: Dims): readonly string[] {
  return [
    aligned(
      allDims(dims)
        .filter((dim) => !dim.varies)
        .map(
          ({ name, size, counts }): Line => ({
            code: `export const ${name} = ${size}; export type ${name} = typeof ${name};`,
            note: counts,
          }),
        ),
    ),
  ];
}

export const indent = (lines: readonly string[]): string =>
  lines.map((line) => (line === "" ? "" : `  ${line}`)).join("\n");

function trainedFunctions(chain: TrainedChain): readonly string[] {
  return chain.stages.flatMap(({ gradients }) => [
    actsInterface(gradients),
    forwardFunction(gradients),
    backwardFunction(gradients),
  ]);
}

/** How the calls of this experiment's functions are written. */
export const settingsOf = ({ experiment }: Plan): BodySettings => ({
  depths: { encoder: experiment.encoder.depth, predictor: experiment.predictor.depth },
});

export function emitStep({ plan, model, step }: Trainer): string {
  const { dims } = model;
  const { experiment } = plan;
  const lengths = varying(dims.lengths);
  const batch = varying([dims.context, dims.allTargets]);
  const inference = model.target.stages.map((stage) => inferenceFunction(stage.graph).text);
  const lossOf = [inferenceFunction(model.loss.forward), lossGradientFunction(model.loss)].map(({ text }) => text);
  const sections = [
    { title: model.target.title, functions: inference },
    { title: model.context.title, functions: trainedFunctions(model.context) },
    { title: model.predictor.title, functions: trainedFunctions(model.predictor) },
    { title: "Loss", functions: lossOf },
  ];
  const bodies = step.functions.map(({ sections }) => bodyOf(sections, settingsOf(plan)));
  const [first, second] = bodies;
  const unnamed = step.functions.flatMap(callsOf).find(isUnnamed);
  const summed = unnamed && treeCode(unnamed);
  const clips = plan.clipNorm !== null;
  const text = render("step.ts", {
    helpers: allUses([...bodies.map(({ uses }) => uses), ...(summed === undefined ? [] : [summed.uses])]).helpers,
    usesBfloat16: [model.context, model.predictor].some(keepsBfloat16),
    clipNorm: clips,
    sizes: sizeLines(dims),
    lengths: lengths.length > 0,
    lengthParameters: typeParameters(lengths),
    lengthArguments: typeArguments(lengths),
    allLengths: dims.lengths,
    encoderDepth: experiment.encoder.depth,
    predictorDepth: experiment.predictor.depth,
    outputWidth: plan.model.targetSpace === "pixels" ? dims.values.name : dims.encoder.width.name,
    accumulates: second !== undefined,
    accumulation: experiment.optimiser.accumulation,
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
  return tidy(text);
}

const keepsBfloat16 = ({ stages }: TrainedChain): boolean =>
  stages.some(({ gradients }) => keptValues(gradients).some(({ dtype }) => dtype === "bf16"));

const isUnnamed = (call: Call): call is EachCall => call.kind === "each" && call.gives[0]?.name === "";

export const varying = (dims: readonly Dim[]): readonly Dim[] => dims.filter((dim) => dim.varies);

/** No trailing spaces, no runs of empty lines, none before a closing brace. */
export function tidy(text: string): string {
  return `${text
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n")
    .replaceAll(/\n{3,}/g, "\n\n")
    .replaceAll(/\n\n(\s*\})/g, "\n$1")
    .trim()}\n`;
}

export function emitFeatures({ plan, model }: Trainer): string {
  const shared = new Set(model.target.stages.map((stage) => stage.graph.name));
  const own = model.features.stages.filter((stage) => !shared.has(stage.graph.name));
  const functions = own.map((stage) => inferenceFunction(stage.graph));
  const [calls, last] = inferenceCalls(model.features, { running: "h", result: "features" });
  const body = bodyOf([{ title: null, calls }], { ...settingsOf(plan), leaf: ({ path }) => path });
  const ownNames = new Set(own.map((stage) => stage.graph.name));
  const { types, values, helpers } = allUses([
    { types: ["B", "D", "N", "Encoder"], values: [], helpers: [] },
    ...functions.map(({ uses }) => uses),
    body.uses,
  ]);
  const valueImports = values.filter((name) => !ownNames.has(name));
  return tidy(
    render("features.ts", {
      // An axis is a number and a type of one name; importing the number brings both.
      typeImports: types.filter((name) => !valueImports.includes(name)),
      valueImports,
      needsBlockAt: helpers.includes("blockAt"),
      functions: functions.map(({ text }) => text),
      imageHeight: plan.experiment.image.height,
      imageWidth: plan.experiment.image.width,
      body: indent(body.lines),
      result: body.valueOf(last),
    }),
  );
}
