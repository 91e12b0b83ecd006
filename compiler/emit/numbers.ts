/** How the numbers of an experiment stand in its code, and in the code that stands for it in the type check. */
import type { Experiment } from "../../runtime/experiment";
import type { Dim, Expression } from "../ir/number";

export interface Numbers {
  /** Of an axis that is a number of its own. */
  readonly size: (dim: Dim) => number;
  readonly expression: (num: Expression) => string;
  /** What stands in a comment, and differs where a number does. */
  readonly remark: (text: string | number) => string;
  /** What experiment.ts holds. */
  readonly constants: (experiment: Experiment) => object;
}

/** What is told to each emitter beside the trainer. */
export interface EmitSettings {
  readonly numbers: Numbers;
  /** The module of the runtime whose `train` main.ts calls. */
  readonly starts: string;
}

/** As the plan has decided them. */
export const asPlanned: Numbers = {
  size: ({ size }) => size,
  expression: ({ name }) => name,
  remark: String,
  constants: (experiment) => experiment,
};

/** Larger than any size, and no number that a type asks for. */
const FIRST_SIZE = 1_000_001;
const CONSTANT = 1_000_000.5;
const TEXT = "…";

/** Sizes that are numbers of their own; the others are made of them. */
const sizeNames = ["B", "N", "V", "D", "H", "F", "P", "PH", "PF", "C", "T"];

function standInSize({ name }: Pick<Dim, "name">): number {
  const at = sizeNames.indexOf(name);
  if (at < 0) throw new Error(`internal: no size stands for ${name}`);
  return FIRST_SIZE + at;
}

/** Texts of an experiment that no type depends on. */
const texts: ReadonlySet<string> = new Set<keyof Experiment>(["name", "specHash", "trainingHash", "runDirectory"]);

/** Constants that main.ts compares with the sizes of step.ts (runtime/step/agree.ts). */
const comparedSizes: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  optimizer: { deviceBatch: "B" },
  encoder: { dim: "D", heads: "H", hidden: "F" },
  predictor: { dim: "P", heads: "PH", hidden: "PF" },
};

/** Lengths of the programs stand for those of C and T: the same in all, as where they are sizes. */
const lengthSizes: Readonly<Record<string, string>> = { contextTokens: "C", targetTokens: "T" };

function withSizes(group: string, value: unknown): unknown {
  const names = comparedSizes[group];
  if (names === undefined || typeof value !== "object") return value;
  const sizes = Object.entries(names).map(([field, name]) => [field, standInSize({ name })]);
  return { ...value, ...Object.fromEntries(sizes) };
}

/** `channels` is 3 by its type. */
function withoutNumbers(value: unknown, name = ""): unknown {
  if (typeof value === "number") {
    const length = lengthSizes[name];
    if (length !== undefined) return standInSize({ name: length });
    return name === "channels" ? value : CONSTANT;
  }
  if (Array.isArray(value)) return value.map((item) => withoutNumbers(item));
  return typeof value === "object" && value !== null ? recordWithoutNumbers(value) : value;
}

function recordWithoutNumbers(record: object): object {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, withoutNumbers(value, name)]));
}

/**
 * The same for all experiments that differ in nothing that a type depends on. Each size is another number, none twice: it
 * is the strictest case, since types of axes are then equal only where it is one axis, so that what is right here is right
 * for all sizes, also for two that happen to be equal. Arithmetic is of one type, and so are the constants.
 */
export const standingIn: Numbers = {
  size: standInSize,
  expression: () => "1 / Math.sqrt(2)",
  remark: () => "",
  constants: (experiment) =>
    Object.fromEntries(
      Object.entries(recordWithoutNumbers(experiment)).map(([name, value]) => [
        name,
        texts.has(name) && typeof value === "string" ? TEXT : withSizes(name, value),
      ]),
    ),
};
