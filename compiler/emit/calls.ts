/** The body of a generated function: the calls of the step as text. */
import type { OpName } from "../../runtime/ops/ops";
import { stateTrees } from "../../runtime/step/trees";
import type { Graph, Group, Leaf } from "../ir/graph";
import type { NetworkName, Stage } from "../ir/stage";
import {
  type BackwardCall,
  byKind,
  type Call,
  type CallTable,
  type CollectCall,
  type EachCall,
  type ForwardCall,
  type InferenceCall,
  type LossCall,
  type LossGradientCall,
  networkOf,
  type ScalarCall,
  type ScalarValue,
  type Section,
  type TreeValue,
} from "../step/step";
import { allUses, type Uses } from "./code";
import { actsName, groupGradient, keptValues } from "./functions";
import { listed } from "./layout";
import { capital } from "./names";
import { groupCode, neededLengths, typeArguments, varyingAxes } from "./types";

export interface BodySettings {
  /** Blocks of each network. */
  readonly depths: { readonly [network: NetworkName]: number };
  /** How a leaf of the step's trees is written; left out: `batch.images`. */
  readonly leaf?: (leaf: Leaf) => string;
}

export interface Body {
  readonly lines: readonly string[];
  readonly uses: Uses;
  /** The code of what a call has made. */
  valueOf(call: Call): string;
}

interface Invocation {
  readonly name: string;
  readonly args: readonly string[];
}

/** `const x = f(a, b);`, one argument a line where it is too wide. `indent` is that of the line in its function. */
function assign(left: string, { name, args }: Invocation, indent: string): string {
  return listed(`${left} = ${name}(`, args, ");", indent);
}

/** Indent of a line in a loop of the body; the others have none of their own. */
const LOOP = "  ";

/** Ops on trees whose results have other types, and the helpers that say so. */
const retyping: ReadonlyMap<OpName, string> = new Map([
  ["ema", "followAll"],
  ["shard", "shardAll"],
  ["allGather", "gatherAll"],
]);

const actsVariable = (graph: Graph): string => `${graph.name}Acts`;
const gradientsVariable = (graph: Graph): string => `${graph.name}Gradients`;
const runningVariable = ({ chain }: ForwardCall): string => `${chain}X`;

const isOfBlock = ({ path }: Leaf): boolean => path.includes("*");

/** The list that has an entry for every block: `batch.dropPath`. */
const perBlockList = ({ tree, path }: Leaf): string => `${tree}.${path.split(".*")[0]}`;

class BodyWriter {
  readonly lines: string[] = [];
  readonly uses: Uses[] = [];
  private readonly values = new Map<Call, string>();
  /** Names of what runs beside a chain's value, by the call that made it last. */
  private readonly besides = new Map<Call, string>();

  constructor(private readonly settings: BodySettings) {}

  readonly valueOf = (call: Call): string => {
    const value = this.values.get(call);
    if (value === undefined) throw new Error(`internal: a ${call.kind} call is used before it is written`);
    return value;
  };

  section({ title, calls }: Section): void {
    if (title !== null) this.lines.push(...title.split("\n").map((line) => `// ${line}`));
    for (const call of calls) byKind(call, this.writers);
    if (title !== null) this.lines.push("");
  }

  private readonly writers: CallTable<void> = {
    inference: (call) => this.inference(call),
    forward: (call) => this.forward(call),
    backward: (call) => this.backward(call),
    loss: (call) => this.loss(call, call),
    "loss gradient": (call) => this.loss(call, call.loss),
    sum: (call) => {
      const [a, b] = call.terms.map(this.valueOf);
      this.lines.push(`const ${call.name} = o.add(${a}, ${b});`);
      this.values.set(call, call.name);
    },
    collect: (call) => {
      this.use({ types: ["Weights"] });
      const record = gradientRecord(call);
      if (record.includes("inOrder(")) this.use({ helpers: ["inOrder"] });
      this.lines.push(`const ${call.gives.name}: Gradients<Weights> = ${record};`);
    },
    each: (call) => this.each(call),
    scalar: (call) => {
      this.lines.push(`const ${call.name} = ${this.scalarCode(call)};`);
      this.values.set(call, call.name);
    },
  };

  /** A term of the loss, or its gradient by the first of what it reads. */
  private loss(call: LossCall | LossGradientCall, { loss, reads }: LossCall): void {
    const { name } = call.kind === "loss" ? loss.forward : loss.backward;
    const args = ["o", ...reads.map(this.valueOf)];
    this.lines.push(assign(`const ${call.name}`, this.invoked({ name, args }), ""));
    this.values.set(call, call.name);
  }

  private use(uses: Partial<Uses>): void {
    this.uses.push({ types: [], values: [], helpers: [], ...uses });
  }

  private invoked(invocation: Invocation): Invocation {
    this.use({ values: [invocation.name] });
    return invocation;
  }

  /** `stage` is whose argument it is. */
  private leafCode(leaf: Leaf, stage?: Stage): string {
    if (this.settings.leaf !== undefined) return this.settings.leaf(leaf);
    if (!isOfBlock(leaf)) return `${leaf.tree}.${leaf.path}`;
    const branch = leaf.path.split(".").at(-1);
    if (stage?.repeated !== false) return `drop.${branch}`;
    this.use({ helpers: ["blockAt"] });
    return `blockAt(${perBlockList(leaf)}, ${stage.blocks?.from ?? 0}).${branch}`;
  }

  private blocksCode({ graph, blocks }: Stage, tree: InferenceCall["weights"]): string {
    if (blocks === undefined) throw new Error(`internal: ${graph.name} has no blocks`);
    const { network, from, to } = blocks;
    const all = `${rootCode(tree, network)}.blocks`;
    return from === 0 && to === this.settings.depths[network] ? all : `${all}.slice(${from}, ${to})`;
  }

  private groupCode(group: Group, stage: Stage, tree: InferenceCall["weights"]): string {
    const [, ...path] = group.path.split(".");
    const root = rootCode(tree, networkOf(group.path));
    if (!group.path.endsWith(".blocks.*")) return [root, ...path].join(".");
    if (stage.repeated) return "block";
    this.use({ helpers: ["blockAt"] });
    return `blockAt(${root}.blocks, ${stage.blocks?.from ?? 0})`;
  }

  /** Arguments of a call before its inputs. */
  private leading(graph: Graph, stage: Stage, tree: InferenceCall["weights"]): readonly string[] {
    return [
      "o",
      ...(neededLengths(graph).length === 0 ? [] : ["l"]),
      ...graph.groups.map((group) => this.groupCode(group, stage, tree)),
    ];
  }

  private stageCall(
    { stage }: InferenceCall | ForwardCall,
    tree: InferenceCall["weights"],
    running?: string,
    beside?: string,
  ): Invocation {
    const inputs = stage.graph.inputs.map((value) => {
      if (value.leaf === undefined && value.name === beside) return beside;
      const code = value.leaf === undefined ? running : this.leafCode(value.leaf, stage);
      if (code === undefined) throw new Error(`internal: nothing gives ${value.name} to ${stage.graph.name}`);
      return code;
    });
    return this.invoked({ name: stage.graph.name, args: [...this.leading(stage.graph, stage, tree), ...inputs] });
  }

  /** `for (const block of blocks) {`, with the factors of stochastic depth where there are any. */
  private loopHead(stage: Stage, tree: InferenceCall["weights"]): readonly string[] {
    const blocks = this.blocksCode(stage, tree);
    const perBlock = stage.graph.inputs.find(({ leaf }) => leaf !== undefined && isOfBlock(leaf))?.leaf;
    if (perBlock === undefined) return [`for (const block of ${blocks}) {`];
    this.use({ helpers: ["blockAt"] });
    const from = stage.blocks?.from ?? 0;
    const at = from === 0 ? "i" : `i + ${from}`;
    return [
      `for (const [i, block] of ${blocks}.entries()) {`,
      `  const drop = blockAt(${perBlockList(perBlock)}, ${at});`,
    ];
  }

  private inference(call: InferenceCall): void {
    const { stage, weights, result } = call;
    const running = call.running && this.valueOf(call.running);
    const beside = call.running && this.besides.get(call.running);
    const made = this.stageCall(call, weights, running, beside);
    const isMoved = stage.beside === undefined || stage.graph.outputs.length > 1;
    const names = [...(isMoved ? [result] : []), ...(stage.beside === undefined ? [] : [stage.beside])];
    const left = names.length === 1 ? names.join("") : `[${names.join(", ")}]`;
    if (stage.repeated) {
      this.lines.push(...this.loopHead(stage, weights), assign(`  ${left}`, made, LOOP), "}");
    } else {
      this.lines.push(assign(call.isLast ? `const ${left}` : `let ${left}`, made, ""));
    }
    this.values.set(call, isMoved ? result : (running ?? result));
    const next = stage.beside ?? beside;
    if (next !== undefined) this.besides.set(call, next);
  }

  private forward(call: ForwardCall): void {
    const { stage } = call;
    const { graph } = stage;
    const acts = actsVariable(graph);
    const output = graph.outputs[0]?.name ?? "out";
    const input = call.running && this.valueOf(call.running);
    if (!stage.repeated) {
      this.lines.push(assign(`const ${acts}`, this.stageCall(call, "weights", input), ""));
      this.values.set(call, `${acts}.${output}`);
      return;
    }
    const running = runningVariable(call);
    const axes = varyingAxes(keptValues(stage.gradients));
    this.use({ types: [actsName(graph)] });
    this.lines.push(
      `let ${running} = ${input};`,
      `const ${acts}: ${actsName(graph)}${typeArguments(axes)}[] = [];`,
      ...this.loopHead(stage, "weights"),
      assign("  const a", this.stageCall(call, "weights", running), LOOP),
      `  ${acts}.push(a);`,
      `  ${running} = a.${output};`,
      "}",
    );
    this.values.set(call, running);
  }

  private backward(call: BackwardCall): void {
    const { stage } = call.forward;
    const { backward, saved } = stage.gradients;
    const gradients = gradientsVariable(stage.graph);
    const invocation = (acts: string, running: string): Invocation =>
      this.invoked({
        name: backward.name,
        args: [...this.leading(backward, stage, "weights"), ...(saved.length === 0 ? [] : [acts]), running],
      });
    const gradient = this.valueOf(call.gradient);
    if (!stage.repeated) {
      this.lines.push(assign(`const ${gradients}`, invocation(actsVariable(stage.graph), gradient), ""));
      this.values.set(call, `${gradients}.dInput`);
      return;
    }
    const block = stage.graph.groups.find((group) => group.name === "block");
    const running = `d${capital(runningVariable(call.forward))}`;
    this.use({ helpers: ["backwards"], types: block === undefined ? [] : [block.type.name] });
    this.lines.push(
      `let ${running} = ${gradient};`,
      `const ${gradients}: Gradients<${block === undefined ? "never" : groupCode(block.type)}>[] = [];`,
      `for (const [block, a] of backwards(${this.blocksCode(stage, "weights")}, ${actsVariable(stage.graph)})) {`,
      assign("  const d", invocation("a", running), LOOP),
      `  ${gradients}.unshift(d.dBlock);`,
      `  ${running} = d.dInput;`,
      "}",
    );
    this.values.set(call, running);
  }

  private each(call: EachCall): void {
    const [result] = call.gives;
    if (result === undefined) throw new Error(`internal: ${call.op} gives no tree`);
    if (call.gives.length > 1) {
      this.lines.push(...this.updateAll(call, result));
      return;
    }
    // A tree without a name is written where it is returned.
    if (result.name === "") return;
    this.lines.push(`const ${result.name} = ${this.treeCode(call)};`);
  }

  /** `zipAll(a, b, (x, y) => o.op(x, y))` */
  treeCode({ op, trees, scalars, attrs }: EachCall): string {
    const helper = retyping.get(op) ?? (trees.length === 1 ? "mapAll" : "zipAll");
    this.use({ helpers: [helper, ...(op === "shard" ? ["shardLength"] : [])] });
    const each = trees.map((tree) => tree.each);
    const args = [...each, ...scalars.map((scalar) => this.scalarOf(scalar)), ...attrsCode(attrs)];
    return `${helper}(${trees.map(({ name }) => name).join(", ")}, (${each.join(", ")}) => o.${op}(${args.join(", ")}))`;
  }

  /** The trees that are replaced go in as one record, and come out as one. */
  private updateAll({ op, trees, scalars, attrs, gives }: EachCall, { name }: TreeValue): readonly string[] {
    this.use({ helpers: ["updateAll", ...(attrs.some(([, code]) => code.startsWith("leafAt(")) ? ["leafAt"] : [])] });
    const [record = ""] = name.split(".");
    const replaced = new Set(gives.map((tree) => tree.name.slice(record.length + 1)));
    const roles = trees.map((tree) => ({ name: tree.name, role: tree.shardOf?.name ?? tree.name }));
    const others = roles.flatMap(({ name, role }) => (replaced.has(role) ? [] : [name]));
    const each = trees.map((tree) => tree.each);
    const args = [...each, ...scalars.map((scalar) => this.scalarOf(scalar))];
    const fields = roles.filter(({ role }) => replaced.has(role));
    const path = attrs.some(([, code]) => /\bpath\b/.test(code)) ? ["path"] : [];
    const kept = fields.map(({ name, role }) => (name === role ? name : `${role}: ${name}`)).join(", ");
    return [
      `const ${record} = updateAll({ ${kept} }, ${others.join(", ")}, (${[...each, ...path].join(", ")}) =>`,
      `  o.${op}(${args.join(", ")}, {`,
      `    ${attrs.map(([attr, code]) => `${attr}: ${code}`).join(", ")},`,
      "  }),",
      ");",
    ];
  }

  private scalarOf(scalar: ScalarValue): string {
    return "leaf" in scalar ? this.leafCode(scalar.leaf) : this.valueOf(scalar.call);
  }

  private scalarCode({ op, of, attrs }: ScalarCall): string {
    if ("kind" in of) return `o.${op}(${[this.valueOf(of), ...attrsCode(attrs)].join(", ")})`;
    this.use({ helpers: ["leaves"] });
    return `o.${op}(${[`leaves(${of.name})`, ...attrsCode(attrs)].join(", ")})`;
  }
}

const attrsCode = (attrs: EachCall["attrs"]): readonly string[] =>
  attrs.length === 0 ? [] : [`{ ${attrs.map(([name, code]) => `${name}: ${code}`).join(", ")} }`];

/** Gradients of one block, or of all that ran in a loop. */
interface BlockGradients {
  readonly code: string;
  readonly many: boolean;
}

/** A list that is all of it stands for itself. */
function listCode(blocks: readonly BlockGradients[]): string {
  const codes = blocks.map(({ code }) => code).join(", ");
  if (!blocks.some(({ many }) => many)) return `[${codes}]`;
  return blocks.length === 1 ? codes : `inOrder(${codes})`;
}

/** Where the weights of a network lie in a tree of the state. */
const rootCode = (tree: InferenceCall["weights"], network: NetworkName): string =>
  stateTrees[tree].part === "all" ? `${tree}.${network}` : tree;

/** The record of all gradients, laid out like the weights. */
function gradientRecord({ from }: CollectCall): string {
  const byNetwork = new Map<NetworkName, Map<string, BlockGradients[]>>();
  const forward = from.map((call) => call.forward.stage);
  for (const stage of forward) {
    for (const group of stage.graph.groups) {
      const [, name = "", rest] = group.path.split(".");
      const network = networkOf(group.path);
      const record = byNetwork.get(network) ?? new Map<string, BlockGradients[]>();
      byNetwork.set(network, record);
      const gradients = gradientsVariable(stage.graph);
      const many = rest === "*" && stage.repeated;
      const code = many ? gradients : `${gradients}.${groupGradient(group)}`;
      record.set(name, [...(record.get(name) ?? []), { code, many }]);
    }
  }
  const networkRecord = ([name, layers]: [NetworkName, ReadonlyMap<string, readonly BlockGradients[]>]): string =>
    listed(
      `${name}: { `,
      [...layers].map(
        ([layer, of]) => `${layer}: ${layer === "blocks" ? listCode(of) : of.map(({ code }) => code).join(", ")}`,
      ),
      " }",
      LOOP,
    );
  return `{\n${[...byNetwork].map((network) => `  ${networkRecord(network)},\n`).join("")}}`;
}

/** Sections of calls as lines of code. */
export function bodyOf(sections: readonly Section[], settings: BodySettings): Body {
  const writer = new BodyWriter(settings);
  for (const section of sections) writer.section(section);
  return { lines: writer.lines, uses: allUses(writer.uses), valueOf: writer.valueOf };
}

/** An op on trees where it is an expression of its own. */
export function treeCode(call: EachCall): { readonly text: string; readonly uses: Uses } {
  const writer = new BodyWriter({ depths: {} });
  const text = writer.treeCode(call);
  return { text, uses: allUses(writer.uses) };
}
