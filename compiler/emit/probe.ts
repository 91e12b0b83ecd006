/** probe.ts: the step without its update, giving what a recorded run is compared with. Only `ijepa replay` writes it. */
import type { Value } from "../ir/graph";
import type { Chain } from "../ir/stage";
import { TARGET_NORM_EPS } from "../model/layers";
import type { Program } from "../optimise/index";
import type { Plan } from "../plan/plan";
import { inferenceCalls } from "./calls";
import { inferenceFunction, lossGradientFunction } from "./functions";
import { render } from "./render";
import { forwardAndBackward, indent, tidy, varying } from "./step";
import { typeArguments, typeParameters } from "./types";

/** The target encoder with the layer norm of targets at every patch: the chain of the features without their mean. */
function allTargetsChain({ features }: Program): Chain {
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

/** Names that a file exports and the code of a text uses, sorted. */
function usedExports(kind: "interface|type" | "function|const", file: string, text: string): readonly string[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, "");
  const exported = new Set(
    [...file.matchAll(new RegExp(`export (?:${kind}) (\\w+)`, "g"))].map(([, name = ""]) => name),
  );
  const used = new Set(code.match(/\w+/g) ?? []);
  return [...exported].filter((name) => used.has(name)).sort();
}

export interface ProbeInput {
  /** With the loss of the probe, which may be another than the step's. */
  readonly program: Program;
  readonly plan: Plan;
  readonly loss: "smoothL1" | "mse";
  /** The text of step.ts, whose functions the probe calls. */
  readonly step: string;
}

export function emitProbe({ program, plan, loss, step }: ProbeInput): string {
  const { dims } = program;
  const body = forwardAndBackward(program, plan);
  const chain = allTargetsChain(program);
  const roots = { encoder: "target", predictor: "never" };
  const all = inferenceCalls(chain, roots, plan.experiment.encoder.depth, "everyPatch", "allTargets");
  const ownLoss = [inferenceFunction(program.loss.forward), lossGradientFunction(program.loss)];
  const functions = [
    ...(loss === plan.model.loss ? [] : ownLoss),
    ...chain.stages
      .filter(({ graph }) => !step.includes(`export function ${graph.name}`))
      .map(({ graph }) => inferenceFunction(graph)),
  ];
  const lengths = varying([dims.context, dims.target, dims.sequence, dims.allTargets]);
  const context = {
    loss,
    functions,
    stepParameters: typeParameters(lengths),
    lengthArguments: typeArguments(lengths),
    batchArguments: typeArguments(varying([dims.context, dims.allTargets])),
    contextRows: dims.contextRows.name,
    body: indent(body.lines),
    allTargets: indent(all.lines.flatMap((line) => line.split("\n"))),
    targets: body.targets,
    context: body.context,
    predictions: body.predictions,
  };
  const nothing = { helpers: [], types: [], values: [] };
  const text = render("probe.ts", { ...context, ...nothing });
  const own = new Set(functions.flatMap((code) => /export function (\w+)/.exec(code)?.[1] ?? []));
  const axes = new Set([...step.matchAll(/export const (\w+) = /g)].map(([, name = ""]) => name));
  const values = usedExports("function|const", step, text).filter((name) => !own.has(name));
  // An axis is a number and a type of one name; importing the number brings both.
  const types = usedExports("interface|type", step, text).filter((name) => !axes.has(name));
  const helpers = ["backwards", "blockAt"].filter((name) => new RegExp(`\\b${name}\\(`).test(text));
  return tidy(render("probe.ts", { ...context, helpers, types, values }));
}
