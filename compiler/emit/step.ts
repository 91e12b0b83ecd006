/** step.ts: the training step of one experiment, and features.ts: the encoder that its probes look through. */
import { leavesOf } from "../../runtime/ops/tree";
import type { Differentiated } from "../autodiff/gradients";
import type { TrainedChain, TrainedModel } from "../autodiff/trained";
import type { Leaf } from "../ir/graph";
import type { Dim } from "../ir/number";
import type { Chain, Stage } from "../ir/stage";
import type { Dims } from "../model/dims";
import { readsTarget } from "../model/model";
import { imageCalls, inferenceCalls } from "../step/passes";
import { type Call, callsOf, type EachCall, type Step, type Trainer } from "../step/step";
import { type BodySettings, bodyOf, treeCode } from "./calls";
import { allUses } from "./code";
import {
  actsInterface,
  aligned,
  backwardFunction,
  forwardFunction,
  inferenceFunction,
  type Line,
  lossGradientFunction,
  type WeightsOf,
} from "./functions";
import { indent } from "./layout";
import { networkFields } from "./networks";
import type { EmitSettings, Numbers } from "./numbers";
import { render } from "./render";
import { inputFields, nextFields, stateFields } from "./trees";
import { madeParameters, sizeCode, tensorType, typeArguments, typeParameters, varyingAxes } from "./types";

const RULE_WIDTH = 112;

/** The rule that fills a section heading up to the width of the file. */
const ruleAfter = (title: string): string => "─".repeat(Math.max(3, RULE_WIDTH - title.length));

const sizeText = (dim: Dim, numbers: Numbers): string =>
  dim.of === undefined ? String(numbers.size(dim)) : sizeCode(dim.of);

/** `const D = 192; type D = typeof D; // width of a token` for every axis that is the same in all programs. */
function sizeLines(dims: Dims, numbers: Numbers): readonly string[] {
  return [
    aligned(
      dims.all
        .filter((dim) => !dim.varies)
        .map(
          (dim): Line => ({
            code: `export const ${dim.name} = ${sizeText(dim, numbers)}; export type ${dim.name} = typeof ${dim.name};`,
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

/** How the calls of this model's functions are written. */
export const settingsOf = ({ networks, frozen = [] }: Pick<TrainedModel, "networks" | "frozen">): BodySettings => ({
  depths: Object.fromEntries([...frozen, ...networks].map(({ name, depth }) => [name, depth])),
});

/** The terms of the loss. */
const termsOf = ({ loss, regularizer }: TrainedModel): readonly Differentiated[] =>
  regularizer === undefined ? [loss] : [loss, regularizer.term];

/** The lengths that what a function is given may have, and the same of a batch. */
export const batchAxes = ({ trees }: Pick<Step, "trees">): readonly Dim[] =>
  varyingAxes(leavesOf(trees.batch, isLeaf).map(([, leaf]) => leaf));

/** Images are bytes, which the step normalizes. */
const usesBytes = ({ trees }: Pick<TrainedModel, "trees">): boolean => trees.constants.pixelMean !== undefined;

const isLeaf = (value: object): value is Leaf => "tree" in value;

export function emitStep({ plan, model, step }: Trainer, { numbers }: EmitSettings): string {
  const { dims } = model;
  const { experiment } = plan;
  const lengths = varying(dims.lengths);
  const batch = batchAxes(step);
  const inference = ({ stages }: Chain, of?: WeightsOf): readonly string[] =>
    stages.map((stage) => inferenceFunction(stage.graph, numbers, of).text);
  const loss = termsOf(model).flatMap((term) => [
    inferenceFunction(term.forward, numbers),
    lossGradientFunction(term, numbers),
  ]);
  const sections = [
    { title: model.images.title, functions: inference(model.images) },
    ...model.chains.map((chain) => ({
      title: chain.title,
      functions: chain.kind === "frozen" ? inference(chain, chain.weights) : trainedFunctions(chain, numbers),
    })),
    { title: "Loss", functions: loss.map(({ text }) => text) },
  ];
  const bodies = step.functions.map(({ sections }) => bodyOf(sections, settingsOf(model)));
  const [first, second] = bodies;
  const unnamed = step.functions.flatMap(callsOf).find(isUnnamed);
  const summed = unnamed && treeCode(unnamed);
  const helpers = [
    ...allUses([...bodies.map(({ uses }) => uses), ...(summed === undefined ? [] : [summed.uses])]).helpers,
    ...(step.shards === 1 ? [] : ["type Shards"]),
  ];
  const body = render("step.ts", {
    shards: step.shards > 1,
    sizes: sizeLines(dims, numbers),
    lengths: lengths.length > 0,
    lengthParameters: typeParameters(lengths),
    lengthArguments: typeArguments(lengths),
    allLengths: dims.lengths.map(({ name, counts }) => ({ name, counts: numbers.remark(counts) })),
    networks: networkFields([...(model.frozen ?? []), ...model.networks], numbers),
    trained: model.networks.map(({ name, type }) => ({ name, type })),
    averages: model.averages,
    regularizes: model.regularizer !== undefined,
    keepsTarget: readsTarget(model),
    source: model.source,
    accumulates: second !== undefined,
    accumulation: numbers.remark(experiment.optimizer.accumulation),
    batchParameters: typeParameters(batch),
    batchArguments: typeArguments(batch),
    stepParameters: madeParameters(lengths),
    state: stateFields(step),
    next: nextFields(step),
    batch: inputFields(step, "batch"),
    schedule: inputFields(step, "schedule"),
    constants: inputFields(step, "constants"),
    usesBytes: usesBytes(model),
    readsTarget: model.chains.some(
      (chain) =>
        chain.kind === "frozen" &&
        chain.weights === "target" &&
        chain.stages.some(({ graph }) => graph.groups.length > 0),
    ),
    chains: sections.map(({ title, functions }) => ({ title, rule: ruleAfter(title), functions })),
    body: indent(first?.lines ?? []),
    update: indent(second?.lines ?? []),
    summed: summed?.text ?? "",
  });
  return `${mapOf({ plan, model, step }, numbers)}\n\n${importsOf(body, helpers)}\n\n${body}`;
}

/** The first screen: which functions there are, in the order in which they run. */
function mapOf({ model, step }: Trainer, numbers: Numbers): string {
  const name = ({ graph, repeated, blocks }: Stage): string =>
    repeated && blocks !== undefined ? `${graph.name} × ${numbers.remark(blocks.to - blocks.from)}` : graph.name;
  const chain = (stages: readonly Stage[]): string => stages.map(name).join(" → ");
  const rows = [
    ["images", chain(model.images.stages)],
    ...model.chains.map(({ part, stages }) => [part, chain(stages)] as const),
    [
      "loss",
      termsOf(model)
        .map(({ forward }) => forward.name)
        .join(" + "),
    ],
  ] as const;
  const told = step.functions.map(({ name }) => `\`${name}\``).join(" and ");
  return [
    "/*",
    ` * Start at the end, with ${told}: that is the algorithm. Its parts stand before it, in the order in which they run:`,
    " *",
    ...rows.map(([part, functions]) => ` *   ${part.padEnd(15)}  ${functions}`),
    " *",
    " * A part that is trained has three declarations: `x`, `XActs` (what it keeps for the backward pass) and `xBackward`",
    ' * (its gradients). The type of a tensor gives its shape and its role: F32<[B, N, D], "norm1"> for a value,',
    ' * "norm1 -> qkv" for the weight that makes one value of another, "d norm1" for a gradient.',
    " */",
  ].join("\n");
}

/** What step.ts imports of the runtime, by module: of each what its text names, and in one line. */
const modules: readonly {
  readonly from: string;
  readonly types: readonly string[];
  readonly values: readonly string[];
}[] = [
  { from: "ops/ops", types: ["BF16", "F32", "I32", "Ops", "Scalar", "U8"], values: [] },
  { from: "ops/roles", types: ["BiasOf"], values: [] },
  { from: "ops/sizes", types: ["Sum", "Times"], values: ["over", "sum", "times"] },
  {
    from: "ops/weights",
    types: ["FirstMoments", "Gradients", "Next", "SecondMoments", "Target", "Weight"],
    values: [],
  },
];

function importsOf(text: string, helpers: readonly string[]): string {
  const used = (names: readonly string[], as: (name: string) => string): readonly string[] =>
    names.filter((name) => new RegExp(as(name)).test(text));
  const line = (what: string, names: readonly string[], from: string): readonly string[] =>
    names.length === 0 ? [] : [`import ${what}{ ${names.join(", ")} } from "ijepa/runtime/${from}";`];
  return [
    ...line("", helpers, "ops/blocks"),
    ...modules.flatMap(({ from, types, values }) => [
      ...line(
        "type ",
        used(types, (name) => `\\b${name}[<, ]`),
        from,
      ),
      ...line(
        "",
        used(values, (name) => `= ${name}\\(`),
        from,
      ),
    ]),
  ].join("\n");
}

const isUnnamed = (call: Call): call is EachCall => call.kind === "each" && call.gives[0]?.name === "";

export const varying = (dims: readonly Dim[]): readonly Dim[] => dims.filter((dim) => dim.varies);

/** What features.ts is handed: what its stages read of the step's trees, under the last names of their paths. */
export function featureInputs({ images, features }: Pick<TrainedModel, "images" | "features">): readonly Leaf[] {
  const read = [...images.stages, ...features.stages].flatMap(({ graph }) => graph.inputs.map(({ leaf }) => leaf));
  return [...new Set(read.filter((leaf) => leaf !== undefined))];
}

export function emitFeatures({ model }: Trainer, { numbers }: EmitSettings): string {
  const { weights } = model.features;
  const alike = model.chains.filter((chain) => chain.kind === "frozen" && chain.weights === weights);
  const shared = new Set([model.images, ...alike].flatMap(({ stages }) => stages).map(({ graph }) => graph.name));
  const own = model.features.stages.filter((stage) => !shared.has(stage.graph.name));
  const functions = own.map((stage) => inferenceFunction(stage.graph, numbers, weights));
  const [images, patches] = imageCalls(model);
  const [calls, last] = inferenceCalls(model.features, {
    running: "h",
    result: "features",
    part: model.features.part,
    weights,
    input: patches,
  });
  const body = bodyOf([{ title: null, calls: [...images, ...calls] }], {
    ...settingsOf(model),
    leaf: ({ path }) => path,
  });
  const isTarget = weights === "target";
  const ownNames = new Set(own.map((stage) => stage.graph.name));
  const { types, values, helpers } = allUses([
    { types: ["B", "D", "N", isTarget ? "Encoder" : "Weights"], values: [], helpers: [] },
    ...functions.map(({ uses }) => uses),
    body.uses,
  ]);
  const valueImports = values.filter((name) => !ownNames.has(name));
  return render("features.ts", {
    // An axis is a number and a type of one name; importing the number brings both.
    typeImports: types.filter((name) => !valueImports.includes(name)),
    valueImports,
    doc: model.features.doc,
    tree: weights,
    treeType: isTarget ? "Target<Encoder>" : "Weights",
    treeTypes: [
      ...(isTarget ? ["Target"] : []),
      ...(functions.some(({ text }) => text.includes(": Weight<")) ? ["Weight"] : []),
    ].join(", "),
    needsBlockAt: helpers.includes("blockAt"),
    functions: functions.map(({ text }) => text),
    inputs: featureInputs(model).map(({ path, ...leaf }) => ({ name: path, type: tensorType(leaf, leaf.role) })),
    usesBytes: usesBytes(model),
    body: indent(body.lines),
    result: body.valueOf(last),
  });
}
