/** observe.ts: the step without its update, giving what a recorded run is compared with. Only `ijepa replay` writes it. */
import type { TrainedModel } from "../autodiff/trained";
import type { Value } from "../ir/graph";
import { nameOf } from "../ir/number";
import type { Chain } from "../ir/stage";
import { TARGET_NORM_EPS } from "../model/layers";
import { IMAGES } from "../model/model";
import { inferenceCalls, type Passes, passesOf } from "../step/passes";
import type { Trainer } from "../step/step";
import { bodyOf } from "./calls";
import { allUses, type Code } from "./code";
import { inferenceFunction, lossGradientFunction } from "./functions";
import { indent } from "./layout";
import { asPlanned } from "./numbers";
import { render } from "./render";
import { outputRole } from "./roles";
import { batchAxes, settingsOf, varying } from "./step";
import { madeParameters, typeArguments } from "./types";

/** The target encoder with the layer norm of targets at every patch: the chain of the features without their mean. */
function allTargetsChain({ features }: TrainedModel): Chain {
  const last = features.stages.at(-1);
  const norm = last?.graph.nodes.find(({ op }) => op === "layerNorm");
  const [encoded] = norm?.outputs ?? [];
  if (last === undefined || norm === undefined || encoded === undefined) {
    throw new Error("internal: the features end without a final norm");
  }
  const normalized: Value = { name: "normalized", dtype: "f32", shape: encoded.shape };
  const graph = {
    ...last.graph,
    name: "allTargetTokens",
    doc: "The final norm and the layer norm of targets, at every patch.",
    nodes: [
      norm,
      { op: "normalize" as const, inputs: [encoded], attrs: { eps: TARGET_NORM_EPS }, outputs: [normalized] },
    ],
    outputs: [normalized],
  };
  return { ...features, stages: [...features.stages.slice(0, -1), { ...last, graph }] };
}

export interface ObserveInput {
  /** With the loss of what is observed, which may be another than the step's. */
  readonly trainer: Trainer;
  readonly loss: "smoothL1" | "mse";
}

function resultOf({ results }: Passes, chain: string) {
  const found = results.get(chain);
  if (found === undefined) throw new Error(`internal: there is no chain ${chain} to observe`);
  return found;
}

/** The functions of step.ts that a trainer's model stands for. */
function functionNames({ images, chains, loss }: TrainedModel): ReadonlySet<string> {
  const stages = [images, ...chains].flatMap((chain) => chain.stages);
  return new Set([...stages.map(({ graph }) => graph.name), loss.forward.name, loss.backward.name]);
}

export function emitObserve({ trainer: { plan, model }, loss }: ObserveInput): string {
  const { dims } = model;
  const passes = passesOf(model, "gradients");
  const [calls, allTargets] = inferenceCalls(allTargetsChain(model), {
    running: "everyPatch",
    result: "allTargets",
    part: model.features.part,
    weights: model.features.weights,
    input: resultOf(passes, IMAGES),
  });
  const body = bodyOf(
    [...passes.sections, { title: "The target encoder's features of all patches", calls }],
    settingsOf(model),
  );
  const inStep = functionNames(model);
  const ownLoss = loss !== plan.model.loss;
  const ownStages = calls.filter(({ stage }) => !inStep.has(stage.graph.name)).map(({ stage }) => stage.graph);
  const functions: readonly Code[] = [
    ...(ownLoss ? [inferenceFunction(model.loss.forward, asPlanned), lossGradientFunction(model.loss, asPlanned)] : []),
    ...ownStages.map((graph) => inferenceFunction(graph, asPlanned)),
  ];
  const own = new Set([
    ...(ownLoss ? [model.loss.forward.name, model.loss.backward.name] : []),
    ...ownStages.map(({ name }) => name),
  ]);
  const lengths = varying(dims.lengths);
  const targets = resultOf(passes, "target");
  const context = resultOf(passes, "context");
  const predictions = resultOf(passes, "predictor");
  // The axes of what it gives.
  const given = [allTargets, targets, context, predictions].flatMap(({ stage }) => stage.graph.outputs);
  const fixed = given
    .flatMap(({ shape }) => shape)
    .flatMap((num) => (typeof num === "object" && num.kind === "dim" && !num.varies ? [num.name] : []));
  const stepParameters = madeParameters(lengths);
  const { types, values, helpers } = allUses([
    body.uses,
    ...functions.map(({ uses }) => uses),
    {
      types: ["Batch", "Constants", "Encoder", ...(lengths.length === 0 ? [] : ["Lengths"]), "Weights", ...fixed],
      values: [],
      helpers: [],
    },
  ]);
  const valueImports = values.filter((name) => !own.has(name));
  return render("observe.ts", {
    loss,
    helpers,
    // An axis is a number and a type of one name; importing the number brings both.
    types: types.filter((name) => !valueImports.includes(name)),
    values: valueImports,
    functions: functions.map(({ text }) => text),
    targetsRole: outputRole(targets.stage.graph),
    needsIndices: functions.some(({ text }) => text.includes("I32<")),
    sizeTypes: ["Sum", "Times"].filter((name) => stepParameters.includes(`${name}<`)).join(", "),
    stepParameters,
    lengthArguments: typeArguments(lengths),
    batchArguments: typeArguments(batchAxes(model)),
    contextRows: nameOf(context.stage.graph.outputs[0]?.shape[0] ?? dims.images),
    body: indent(body.lines),
    allTargets: body.valueOf(allTargets),
    targets: body.valueOf(targets),
    context: body.valueOf(context),
    predictions: body.valueOf(predictions),
  });
}
