/** The trees of a step: as interfaces of step.ts, and as the data of trees.ts that the trainer reads. */
import { type InputName, type StateName, stateTrees } from "../../runtime/step/trees";
import type { Leaf } from "../ir/graph";
import type { Num } from "../ir/number";
import type { Step } from "../step/step";
import { listed } from "./layout";
import { literal } from "./names";
import { render } from "./render";
import { tensorType } from "./types";

/** A field of an interface, with its comment. */
export interface Field {
  readonly doc: string | null;
  readonly code: string;
}

/** A tree as it is declared: leaves, and lists whose one entry stands for every block. */
type Declared = { readonly [name: string]: Leaf | readonly { readonly [name: string]: Leaf }[] };

const declared = (step: Step, name: InputName): Declared => ({ ...step.trees[name] });

const isList = (entry: Declared[string]): entry is readonly { readonly [name: string]: Leaf }[] => Array.isArray(entry);

const isScalar = ({ shape }: Leaf): boolean => shape.length === 0;

const leafType = (leaf: Leaf): string =>
  isScalar(leaf) ? `Scalar<${literal(leaf.role)}>` : tensorType(leaf, leaf.role);

const field = (name: string, type: string): string => `readonly ${name}: ${type}`;

export function inputFields(step: Step, tree: InputName): readonly Field[] {
  return Object.entries(declared(step, tree)).map(([name, entry]): Field => {
    if (!isList(entry)) return { doc: entry.doc ?? null, code: `${field(name, leafType(entry))};` };
    const leaves = entry.flatMap((leavesOfBlock) => Object.entries(leavesOfBlock));
    const types = leaves.map(([leafName, leaf]) => field(leafName, leafType(leaf)));
    return { doc: leaves[0]?.[1].doc ?? null, code: `${field(name, `readonly { ${types.join("; ")} }[]`)};` };
  });
}

const stateFieldOf: { readonly [K in StateName]: Field } = {
  weights: { doc: null, code: "readonly weights: Weights;" },
  m: { doc: null, code: "readonly m: FirstMoments<Weights>;" },
  v: { doc: null, code: "readonly v: SecondMoments<Weights>;" },
  target: { doc: null, code: "readonly target: Target<Encoder>;" },
  gradients: {
    doc: "The sum of the gradients of the micro-batches so far.",
    code: "readonly gradients: Gradients<Weights>;",
  },
};

/** `Shards<…>` where a device keeps its shard of each tensor. */
const codeOf = (name: StateName, shards: number): string =>
  shards === 1 || stateTrees[name].ofOptimizer === undefined
    ? stateFieldOf[name].code
    : stateFieldOf[name].code.replace("<Weights>", "<Shards<Weights>>");

export const stateFields = ({ state, shards }: Step): readonly Field[] =>
  state.map((name) => ({ ...stateFieldOf[name], code: codeOf(name, shards) }));

/** The fields of what an update leaves behind: what is only read stays. The sum of gradients begins anew. */
export const nextFields = ({ state, shards, functions }: Step): readonly string[] =>
  state
    .filter((name) => functions.some(({ next }) => next[name] !== undefined))
    .map((name) =>
      name === "gradients"
        ? codeOf(name, shards)
        : codeOf(name, shards).replace(/: (.*);$/, (_, type: string) => `: Next<${type}>;`),
    );

const isAxis = (num: Num): boolean => typeof num === "object" && num.kind === "dim" && !num.varies;

const sizeCode = (num: Num): string => {
  if (typeof num === "number") return String(num);
  return num.kind === "dim" && num.varies ? literal(num.name) : num.name;
};

function specCode({ tree, dtype, shape }: Leaf): string {
  const made: { readonly [K in Leaf["dtype"]]: string } = {
    f32: tree === "constants" ? "constant" : "f32",
    i32: "i32",
    u8: "u8",
  };
  return `${made[dtype]}(${shape.map(sizeCode).join(", ")})`;
}

function treeCode(step: Step, name: InputName, depth: number): string {
  const entries = Object.entries(declared(step, name)).map(([entryName, entry]) => {
    if (!isList(entry)) return `${entryName}: ${specCode(entry)}`;
    const leaves = entry.flatMap((block) => Object.entries(block)).map(([leaf, of]) => `${leaf}: ${specCode(of)}`);
    return `${entryName}: blocks(${depth}, { ${leaves.join(", ")} })`;
  });
  return listed(`export const ${name} = { `, entries, " };", "");
}

/** trees.ts; `depth` is that of the encoder. */
export function emitTrees(step: Step, depth: number): string {
  const trees: readonly InputName[] = ["batch", "schedule", "constants"];
  const leaves = trees.flatMap((name) =>
    Object.values(declared(step, name)).flatMap((entry) =>
      isList(entry) ? entry.flatMap(Object.values<Leaf>) : [entry],
    ),
  );
  const axes = new Set(leaves.flatMap(({ shape }) => shape.filter(isAxis).map(sizeCode)));
  const formats = [...new Set(["f32", ...leaves.map(({ dtype }) => dtype)])].sort();
  const lists = trees.some((name) => Object.values(declared(step, name)).some(isList));
  return render("trees.ts", {
    helpers: [...(lists ? ["blocks"] : []), "constant", ...formats],
    sizes: [...axes].sort(),
    state: step.state.map(literal).join(", "),
    trees: trees.map((name) => treeCode(step, name, depth)),
  });
}
