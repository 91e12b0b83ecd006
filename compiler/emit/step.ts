/** step.ts: the training step of one experiment, and features.ts: the encoder that its probes look through. */

import type { Graph } from "../ir/graph";
import type { Dim } from "../ir/number";
import type { Dims } from "../model/dims";
import type { Program, TrainedChain } from "../optimise/index";
import type { Plan } from "../plan/plan";
import { backwardCalls, forwardCalls, gradientRecord, inferenceCalls, type Roots } from "./calls";
import {
  actsInterface,
  aligned,
  backwardFunction,
  forwardFunction,
  inferenceFunction,
  type Line,
  lossGradientFunction,
} from "./functions";
import { render } from "./render";
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
    dims.context,
    dims.target,
    dims.sequence,
    dims.allTargets,
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

const heading = (title: string): string => `// ${title}`;

function trainedFunctions(chain: TrainedChain): readonly string[] {
  return chain.stages.flatMap(({ gradients }) => [
    actsInterface(gradients),
    forwardFunction(gradients),
    backwardFunction(gradients),
  ]);
}

function updateLines(plan: Plan): readonly string[] {
  const { beta1, beta2, eps } = plan.experiment.optimiser;
  const { clipNorm } = plan;
  const clip =
    clipNorm === null
      ? []
      : [
          heading("Gradient clipping by the norm over all weights"),
          "const norm = o.globalNorm(leaves(means));",
          `const clip = o.clipFactor(norm, { max: ${clipNorm} });`,
          "const gradients = mapAll(means, (g) => o.scaleBy(g, clip));",
          "",
        ];
  return [
    ...clip,
    heading("AdamW: decay on matrices and the mask token, none on biases and norms (reference.md §7)"),
    "const next = updateAll({ weights, m, v }, gradients, (w, g, m, v, path) =>",
    "  o.adamw(w, g, m, v, schedule.stepSize, schedule.secondMoment, schedule.decayFactor, {",
    `    beta1: ${beta1}, beta2: ${beta2}, eps: ${eps}, decay: w.shape.length > 1 || path === "predictor.maskToken",`,
    "  }),",
    ");",
    "",
    heading("EMA: the target encoder follows the encoder (reference.md §5)"),
    "const nextTarget = zipAll(target, next.weights.encoder, (t, w) => o.ema(t, w, schedule.keep, schedule.take));",
    "",
  ];
}

/** Forward and backward as lines of code, and the code of what they make on the way. */
export interface Body {
  readonly lines: readonly string[];
  readonly targets: string;
  readonly context: string;
  readonly predictions: string;
}

/** Forward and backward, in order of execution. */
export function forwardAndBackward(program: Program, plan: Plan): Body {
  const { encoder, predictor, optimiser } = plan.experiment;
  const trained: Roots = { encoder: "weights.encoder", predictor: "weights.predictor" };
  const target = inferenceCalls(
    program.target,
    { encoder: "target", predictor: "never" },
    encoder.depth,
    "h",
    "targets",
  );
  const context = forwardCalls(program.context, trained, encoder.depth, undefined);
  const predictions = forwardCalls(program.predictor, trained, predictor.depth, context.result);
  const { forward: loss, backward: lossBackward } = program.loss;
  const backPredictor = backwardCalls(program.predictor, trained, predictor.depth, "dPredictions");
  const backContext = backwardCalls(program.context, trained, encoder.depth, backPredictor.result);
  const gradients = plan.clipNorm === null || optimiser.accumulation > 1 ? "gradients" : "means";
  const lines = [
    heading(program.target.title),
    ...target.lines,
    "",
    heading(program.context.title),
    ...context.lines,
    "",
    heading(program.predictor.title),
    ...predictions.lines,
    "",
    heading("Loss"),
    `const loss = ${loss.name}(o, ${predictions.result}, ${target.result});`,
    "",
    heading("Backward"),
    `const dPredictions = ${lossBackward.name}(o, ${predictions.result}, ${target.result});`,
    ...backPredictor.lines,
    ...backContext.lines,
    `const ${gradients}: Weights = ${gradientRecord([program.context, program.predictor])};`,
    "",
  ].flatMap((line) => line.split("\n"));
  return { lines, targets: target.result, context: context.result, predictions: predictions.result };
}

export const varying = (dims: readonly Dim[]): readonly Dim[] => dims.filter((dim) => dim.varies);

export function emitStep(program: Program, plan: Plan): string {
  const { dims } = program;
  const { experiment } = plan;
  const lengths = varying([dims.context, dims.target, dims.sequence, dims.allTargets]);
  const batch = varying([dims.context, dims.allTargets]);
  const accumulates = experiment.optimiser.accumulation > 1;
  const clips = plan.clipNorm !== null;
  const inference = program.target.stages.map((stage) => inferenceFunction(stage.graph));
  const lossOf = [inferenceFunction(program.loss.forward), lossGradientFunction(program.loss)];
  const sections = [
    { title: program.target.title, functions: inference },
    { title: program.context.title, functions: trainedFunctions(program.context) },
    { title: program.predictor.title, functions: trainedFunctions(program.predictor) },
    { title: "Loss", functions: lossOf },
  ];
  const text = render("step.ts", {
    usesBackwards: [program.context, program.predictor].some((chain) => chain.stages.some((stage) => stage.repeated)),
    clipNorm: clips,
    mapsTrees: clips || accumulates,
    sizes: sizeLines(dims),
    lengths: lengths.length > 0,
    lengthParameters: typeParameters(lengths),
    lengthArguments: typeArguments(lengths),
    allLengths: [dims.context, dims.target, dims.sequence, dims.allTargets],
    encoderDepth: experiment.encoder.depth,
    predictorDepth: experiment.predictor.depth,
    outputWidth: plan.model.targetSpace === "pixels" ? dims.values.name : dims.encoder.width.name,
    accumulates,
    accumulation: experiment.optimiser.accumulation,
    batchParameters: typeParameters(batch),
    batchArguments: typeArguments(batch),
    stepParameters: typeParameters(lengths),
    imageHeight: experiment.image.height,
    imageWidth: experiment.image.width,
    severalContexts: experiment.masks.contextCount > 1,
    contextRows: dims.contextRows.name,
    targets: experiment.masks.targetCount,
    dropPath: plan.model.dropPath,
    readsTarget: plan.model.targetSpace === "representations",
    chains: sections.map(({ title, functions }) => ({ title, rule: ruleAfter(title), functions })),
    body: indent(forwardAndBackward(program, plan).lines),
    update: indent(updateLines(plan)),
    stepOutputs: clips ? "{ readonly loss: Scalar; readonly norm: Scalar }" : "{ readonly loss: Scalar }",
    updateOutputs: clips ? "{ readonly norm: Scalar }" : "Readonly<Record<string, never>>",
  });
  return tidy(text);
}

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

export function emitFeatures(program: Program, plan: Plan): string {
  const { dims } = program;
  const shared = new Set(program.target.stages.map((stage) => stage.graph.name));
  const own = program.features.stages.filter((stage) => !shared.has(stage.graph.name));
  const borrowed = program.features.stages
    .filter((stage) => shared.has(stage.graph.name))
    .map((stage) => stage.graph.name);
  const { lines, result } = inferenceCalls(
    program.features,
    { encoder: "target", predictor: "never" },
    plan.experiment.encoder.depth,
    "h",
    "features",
  );
  const body = lines.map((line) => line.replace("batch.images", "images").replace("constants.positions", "positions"));
  const functions = own.map((stage) => inferenceFunction(stage.graph));
  const types = [
    "Encoder",
    ...(functions.some((text) => text.includes("EncoderBlock")) ? ["EncoderBlock"] : []),
    ...usedNames(functions, dims),
  ];
  const layerTypes = ["Linear", "Norm"].filter((name) => functions.some((text) => text.includes(`${name}<`)));
  const values = [...borrowed, ...attributeNames(own.map((stage) => stage.graph))].sort();
  return tidy(
    render("features.ts", {
      typeImports: [...new Set(["B", "D", "N", ...types, ...layerTypes])]
        .filter((name) => !values.includes(name))
        .sort(),
      valueImports: values,
      needsBlockAt: lines.some((line) => line.includes("blockAt(")),
      functions,
      imageHeight: plan.experiment.image.height,
      imageWidth: plan.experiment.image.width,
      body: indent(body),
      result,
    }),
  );
}

/** Axes that the text of functions names as types. */
function usedNames(functions: readonly string[], dims: Dims): readonly string[] {
  const names = new Set(
    functions.flatMap((text) => [...text.matchAll(/\b[A-Z][A-Z0-9]?\b/g)].map((match) => match[0])),
  );
  return allDims(dims)
    .map((dim) => dim.name)
    .filter((name) => names.has(name));
}

/** Axes that ops of these graphs are handed as numbers. */
function attributeNames(graphs: readonly Graph[]): readonly string[] {
  const values = graphs.flatMap((graph) => graph.nodes.flatMap((node) => Object.values(node.attrs)));
  const dims = values.filter(
    (value): value is Dim => typeof value === "object" && value.kind === "dim" && !value.varies,
  );
  return [...new Set(dims.map((dim) => dim.name))];
}
