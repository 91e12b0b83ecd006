/** observe.ts: the step without its update, giving what a recorded run is compared with. Only `ijepa replay` writes it. */
import type { TrainedModel } from "../autodiff/trained";
import type { Value } from "../ir/graph";
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
import { madeParameters, tensorType, typeArguments } from "./types";

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

function resultOf({ results }: Passes, chain: string) {
  const found = results.get(chain);
  if (found === undefined) throw new Error(`internal: there is no chain ${chain} to observe`);
  return found;
}

/** The functions of step.ts that a trainer's model stands for. */
function functionNames({ images, chains, loss, regularizer }: TrainedModel): ReadonlySet<string> {
  const stages = [images, ...chains].flatMap((chain) => chain.stages);
  return new Set([
    ...stages.map(({ graph }) => graph.name),
    loss.forward.name,
    loss.backward.name,
    ...(regularizer === undefined ? [] : [regularizer.term.forward.name, regularizer.term.backward.name]),
  ]);
}

/** What is observed of a chain is called as the chain itself, or as what it ends with where nothing is trained. */
const outputOf = (chain: TrainedModel["chains"][number]): string =>
  chain.kind === "frozen" ? chain.result : chain.name;

/** `other`: a loss in the place of the step's own. */
export function emitObserve({ model: own }: Trainer, other?: TrainedModel["loss"]): string {
  const model = { ...own, loss: other ?? own.loss };
  const { dims } = model;
  const passes = passesOf(model, "gradients");
  const [calls, allTargets] = model.observesAllTargets
    ? inferenceCalls(allTargetsChain(model), {
        running: "everyPatch",
        result: "allTargets",
        part: model.features.part,
        weights: model.features.weights,
        input: resultOf(passes, IMAGES),
      })
    : [[], null];
  const body = bodyOf(
    [
      ...passes.sections,
      ...(calls.length === 0 ? [] : [{ title: "The target encoder's features of all patches", calls }]),
    ],
    settingsOf(model),
  );
  const inStep = functionNames(model);
  const ownStages = calls.filter(({ stage }) => !inStep.has(stage.graph.name)).map(({ stage }) => stage.graph);
  const functions: readonly Code[] = [
    ...(other === undefined
      ? []
      : [inferenceFunction(other.forward, asPlanned), lossGradientFunction(other, asPlanned)]),
    ...ownStages.map((graph) => inferenceFunction(graph, asPlanned)),
  ];
  const ownNames = new Set([
    ...(other === undefined ? [] : [other.forward.name, other.backward.name]),
    ...ownStages.map(({ name }) => name),
  ]);
  const lengths = varying(dims.lengths);
  const observed = [
    ...(allTargets === null ? [] : [{ name: "allTargets", call: allTargets }]),
    ...model.chains.map((chain) => ({ name: outputOf(chain), call: resultOf(passes, chain.name) })),
  ];
  const outputs = observed.flatMap(({ name, call }) => {
    const code = body.valueOf(call);
    return call.stage.graph.outputs.map((value) => ({
      type: `readonly ${name}: ${tensorType(value, outputRole(call.stage.graph))};`,
      value: code === name ? name : `${name}: ${code}`,
    }));
  });
  // The axes of what it gives.
  const fixed = observed
    .flatMap(({ call }) => call.stage.graph.outputs)
    .flatMap(({ shape }) => shape)
    .flatMap((num) => (typeof num === "object" && num.kind === "dim" && !num.varies ? [num.name] : []));
  const stepParameters = madeParameters(lengths);
  const { types, values, helpers } = allUses([
    body.uses,
    ...functions.map(({ uses }) => uses),
    {
      types: [
        "Batch",
        "Constants",
        ...(model.averages ? ["Encoder"] : []),
        ...(lengths.length === 0 ? [] : ["Lengths"]),
        "Weights",
        ...fixed,
      ],
      values: [],
      helpers: [],
    },
  ]);
  const valueImports = values.filter((name) => !ownNames.has(name));
  return render("observe.ts", {
    loss: model.loss.forward.nodes.at(-1)?.op ?? "",
    averages: model.averages,
    regularizes: model.regularizer !== undefined,
    helpers,
    // An axis is a number and a type of one name; importing the number brings both.
    types: types.filter((name) => !valueImports.includes(name)),
    values: valueImports,
    functions: functions.map(({ text }) => text),
    needsIndices: functions.some(({ text }) => text.includes("I32<")),
    sizeTypes: ["Sum", "Times"].filter((name) => stepParameters.includes(`${name}<`)).join(", "),
    stepParameters,
    lengthArguments: typeArguments(lengths),
    batchArguments: typeArguments(batchAxes(model)),
    body: indent(body.lines),
    outputs,
  });
}
