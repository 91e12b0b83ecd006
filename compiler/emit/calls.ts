/** The body of the generated step: stages called in order, forward and then backward. */
import type { Graph, Group, Value } from "../ir/graph";
import type { Chain, Stage } from "../ir/stage";
import type { TrainedChain, TrainedStage } from "../optimise/index";
import { actsName, groupGradient, keptValues } from "./functions";
import { listed } from "./layout";
import { capital } from "./names";
import { neededLengths, typeArguments, varyingAxes } from "./types";

/** Where the step finds what its functions are handed, by the name of the input. Total over those names. */
const sources: Readonly<Record<string, string>> = {
  images: "batch.images",
  contextIndex: "batch.contextIndex",
  targetIndex: "batch.targetIndex",
  positions: "constants.positions",
  predictorPositions: "constants.predictorPositions",
  dropPathAttn: "drop.attn",
  dropPathMlp: "drop.mlp",
};

/** How a chain names the weights it reads: those of the target encoder, or those that are trained. */
export interface Roots {
  readonly encoder: string;
  readonly predictor: string;
}

function blocksOf(stage: Stage, roots: Roots, depth: number): string {
  if (stage.blocks === undefined) throw new Error(`internal: ${stage.graph.name} has no blocks`);
  const { network, from, to } = stage.blocks;
  const all = `${roots[network]}.blocks`;
  return from === 0 && to === depth ? all : `${all}.slice(${from}, ${to})`;
}

function groupSource(group: Group, stage: Stage, roots: Roots): string {
  const [network = "", ...path] = group.path.split(".");
  const root = network === "predictor" ? roots.predictor : roots.encoder;
  if (!group.path.endsWith(".blocks.*")) return [root, ...path].join(".");
  return stage.repeated ? "block" : `blockAt(${root}.blocks, ${stage.blocks?.from ?? 0})`;
}

/** Arguments of a call before its inputs. */
function leadingArguments(graph: Graph, groups: readonly Group[], stage: Stage, roots: Roots): readonly string[] {
  return [
    "o",
    ...(neededLengths(graph).length === 0 ? [] : ["l"]),
    ...groups.map((group) => groupSource(group, stage, roots)),
  ];
}

function inputSource(value: Value, running: string | undefined, i: number): string {
  const known = sources[value.name];
  if (known !== undefined) return known;
  if (i === 0 && running !== undefined) return running;
  throw new Error(`internal: the step has no ${value.name}`);
}

function call(stage: Stage, roots: Roots, running: string | undefined): Call {
  const { graph } = stage;
  const inputs = graph.inputs.map((value, i) => inputSource(value, running, i));
  return { name: graph.name, args: [...leadingArguments(graph, graph.groups, stage, roots), ...inputs] };
}

interface Call {
  readonly name: string;
  readonly args: readonly string[];
}

/** `const x = f(a, b);`, one argument a line where it is too wide. `indent` is that of the line in its function. */
function assign(left: string, { name, args }: Call, indent: string): string {
  return listed(`${left} = ${name}(`, args, ");", indent);
}

/** Indent of a line in a loop of the body; the others have none of their own. */
const LOOP = "  ";

const usesDropPath = (graph: Graph): boolean => graph.inputs.some((value) => value.name === "dropPathAttn");

/** `for (const block of blocks) {`, with the factors of stochastic depth where there are any. */
function loopHead(stage: Stage, roots: Roots, depth: number): readonly string[] {
  const blocks = blocksOf(stage, roots, depth);
  return usesDropPath(stage.graph)
    ? [`for (const [i, block] of ${blocks}.entries()) {`, "  const drop = blockAt(batch.dropPath, i);"]
    : [`for (const block of ${blocks}) {`];
}

export interface Emitted {
  readonly lines: readonly string[];
  /** What holds the chain's result. */
  readonly result: string;
}

/** A chain without gradients; the running value is called `running`, the result `result`. */
export function inferenceCalls(chain: Chain, roots: Roots, depth: number, running: string, result: string): Emitted {
  const lines: string[] = [];
  let value: string | undefined;
  chain.stages.forEach((stage, i) => {
    const isLast = i === chain.stages.length - 1;
    if (stage.repeated) {
      lines.push(...loopHead(stage, roots, depth), assign(`  ${running}`, call(stage, roots, running), LOOP), "}");
      return;
    }
    lines.push(assign(isLast ? `const ${result}` : `let ${running}`, call(stage, roots, value), ""));
    value = running;
  });
  return { lines, result };
}

const actsVariable = (graph: Graph): string => `${graph.name}Acts`;

/** The forward pass of a chain whose stages keep what their backward functions read. */
export function forwardCalls(chain: TrainedChain, roots: Roots, depth: number, input: string | undefined): Emitted {
  const lines: string[] = [];
  let value = input;
  for (const stage of chain.stages) {
    const { graph } = stage;
    const acts = actsVariable(graph);
    const output = graph.outputs[0]?.name ?? "out";
    if (!stage.repeated) {
      lines.push(assign(`const ${acts}`, call(stage, roots, value), ""));
      value = `${acts}.${output}`;
      continue;
    }
    const running = `${chain.name}X`;
    lines.push(
      `let ${running} = ${value};`,
      `const ${acts}: ${actsName(graph)}${typeArguments(varyingAxes(keptValues(stage.gradients)))}[] = [];`,
      ...loopHead(stage, roots, depth),
      assign("  const a", call(stage, roots, running), LOOP),
      `  ${acts}.push(a);`,
      `  ${running} = a.${output};`,
      "}",
    );
    value = running;
  }
  if (value === undefined) throw new Error(`internal: chain ${chain.name} is empty`);
  return { lines, result: value };
}

const gradientsVariable = (graph: Graph): string => `${graph.name}Gradients`;

function backwardCall(stage: TrainedStage, roots: Roots, acts: string, running: string): Call {
  const { backward, saved } = stage.gradients;
  const args = [
    ...leadingArguments(backward, backward.groups, stage, roots),
    ...(saved.length === 0 ? [] : [acts]),
    running,
  ];
  return { name: backward.name, args };
}

/** The backward pass of a chain, last stage first; `gradient` is that of the chain's result. */
export function backwardCalls(chain: TrainedChain, roots: Roots, depth: number, gradient: string): Emitted {
  const lines: string[] = [];
  let value = gradient;
  for (const stage of [...chain.stages].reverse()) {
    const { graph } = stage;
    const gradients = gradientsVariable(graph);
    if (!stage.repeated) {
      lines.push(assign(`const ${gradients}`, backwardCall(stage, roots, actsVariable(graph), value), ""));
      value = `${gradients}.dInput`;
      continue;
    }
    const blockType = graph.groups.find((group) => group.name === "block")?.type ?? "never";
    const running = `d${capital(chain.name)}X`;
    lines.push(
      `let ${running} = ${value};`,
      `const ${gradients}: ${blockType}[] = [];`,
      `for (const [block, a] of backwards(${blocksOf(stage, roots, depth)}, ${actsVariable(graph)})) {`,
      assign("  const d", backwardCall(stage, roots, "a", running), LOOP),
      `  ${gradients}.unshift(d.dBlock);`,
      `  ${running} = d.dInput;`,
      "}",
    );
    value = running;
  }
  return { lines, result: value };
}

/** The record of all gradients, laid out like the weights. */
export function gradientRecord(chains: readonly TrainedChain[]): string {
  const byNetwork: Record<"encoder" | "predictor", Map<string, string[]>> = {
    encoder: new Map(),
    predictor: new Map(),
  };
  for (const stage of chains.flatMap((chain) => chain.stages)) {
    for (const group of stage.graph.groups) {
      const [network = "", ...path] = group.path.split(".");
      const record = byNetwork[network === "predictor" ? "predictor" : "encoder"];
      const name = path[0] ?? "";
      const gradients = gradientsVariable(stage.graph);
      const code = path[1] === "*" && stage.repeated ? `...${gradients}` : `${gradients}.${groupGradient(group)}`;
      record.set(name, [...(record.get(name) ?? []), code]);
    }
  }
  const networkRecord = (name: "encoder" | "predictor"): string =>
    listed(
      `${name}: { `,
      [...byNetwork[name]].map(
        ([layer, codes]) => `${layer}: ${layer === "blocks" ? `[${codes.join(", ")}]` : codes.join(", ")}`,
      ),
      " }",
      LOOP,
    );
  return `{\n  ${networkRecord("encoder")},\n  ${networkRecord("predictor")},\n}`;
}
