/** The outcome of a replay, for people and for programs. */
import pico from "picocolors";
import { objectives } from "../objectives";
import { type Comparison, type Group, groups, shareOf } from "./compare";
import type { Trace } from "./trace";

export interface Outcome {
  readonly trace: Trace;
  /** The engine's own line. */
  readonly engine: string;
  /** Casts to bfloat16 of the step; 0: it is one in float32. */
  readonly casts: number;
  readonly comparisons: readonly Comparison[];
  readonly notRecorded: readonly string[];
}

export const holds = ({ comparisons }: Outcome): boolean => comparisons.every((one) => one.holds);

/** Largest share of its tolerance first; where shares are equal, in the order of the run. */
function worstFirst(comparisons: readonly Comparison[]): readonly Comparison[] {
  return [...comparisons].sort((a, b) => (shareOf(b) === shareOf(a) ? 0 : shareOf(b) - shareOf(a)));
}

const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

/** 3.27e-7, and 0 as 0. */
const short = (value: number): string => (value === 0 ? "0" : value.toExponential(2).replace("e+", "e"));

const shareText = (comparison: Comparison): string => {
  const share = shareOf(comparison);
  return share < 1000 ? share.toFixed(3) : short(share);
};

/** `[1, 0, 7]` of a flat index. */
function place({ shape, at }: Comparison): string {
  let rest = at;
  const indices = [...shape].reverse().map((size) => {
    const index = rest % size;
    rest = Math.floor(rest / size);
    return index;
  });
  return `[${indices.reverse().join(", ")}]`;
}

function range(values: readonly number[]): string {
  const least = Math.min(...values);
  const most = Math.max(...values);
  return least === most ? String(least) : `${least} to ${most}`;
}

/** What was replayed, on a few lines. */
function headLines({ trace, engine, casts }: Outcome): readonly string[] {
  const { config, lengths, grid } = trace;
  const batches = lengths.flat();
  const programs = new Set(batches.map(({ contextTokens, targetTokens }) => `${contextTokens} ${targetTokens}`)).size;
  const { second } = objectives[config.objective].recorded;
  const behind = second === null ? "" : `${second.name} ${config.predictorDepth}×${config.predictorDim}, `;
  const model =
    `encoder ${config.depth}×${config.dim}, ${behind}` +
    `${config.heads} heads, ${grid}×${grid} patches of ${config.patch}`;
  const masks =
    `${trace.sets === 1 ? "" : `${trace.sets} sets of `}${plural(trace.contexts, "context")} of ${range(batches.map((one) => one.contextTokens))} tokens, ` +
    `${plural(trace.targets, "target")} of ${range(batches.map((one) => one.targetTokens))}`;
  const ranks = trace.ranks === 1 ? "" : ` on ${trace.ranks} ranks`;
  return [
    `${trace.title}: ${plural(trace.steps, "step")} of ${plural(trace.images, "image")}${ranks}; ${model}`,
    `${masks}, ${plural(programs, "program")}; ${engine}`,
    ...(casts === 0 ? [] : [`operands of products in bfloat16: tolerances of ${plural(casts, "cast")} to it`]),
  ];
}

export interface TextOptions {
  readonly colour: boolean;
  /** Every tensor; otherwise the worst of each group and everything that differs. */
  readonly every: boolean;
}

export function reportText(outcome: Outcome, { colour, every }: TextOptions): string {
  const paint = pico.createColors(colour);
  const { comparisons, notRecorded } = outcome;
  const columns = ["largest difference", "tolerance", "share"];
  const width = Math.max(10, ...comparisons.map(({ tensor }) => tensor.length));
  const line = (name: string, cells: readonly string[], verdict: string): string =>
    `  ${name.padEnd(width)}  ${cells.map((cell, i) => cell.padStart(columns[i]?.length ?? 0)).join("  ")}  ${verdict}`;
  const rowOf = (one: Comparison): readonly string[] => [
    line(
      one.tensor,
      [short(one.difference), short(one.tolerance), shareText(one)],
      one.holds ? paint.green("holds") : paint.red("DIFFERS"),
    ),
    ...(one.holds ? [] : [`    at ${place(one)}: recorded ${one.recorded}, computed ${one.computed}`]),
  ];
  const sections = groups.flatMap((group) => {
    const all = comparisons.filter((one) => one.group === group);
    if (all.length === 0) return [];
    const sorted = worstFirst(all);
    const shown = every ? sorted : sorted.filter((one, i) => i === 0 || !one.holds);
    return ["", `${paint.bold(title(group))} (${verdictOf(all)})`, ...shown.flatMap(rowOf)];
  });
  return [
    ...headLines(outcome),
    "",
    line("tensor", columns, "verdict"),
    ...sections,
    "",
    ...notRecorded.map((what) => `not recorded: ${what}`),
    summary(outcome, paint),
    "",
  ].join("\n");
}

const title = (group: Group): string => group.charAt(0).toUpperCase() + group.slice(1);

function verdictOf(all: readonly Comparison[]): string {
  const differ = all.filter((one) => !one.holds).length;
  return differ === 0
    ? `${plural(all.length, "tensor")}, all hold`
    : `${differ} of ${plural(all.length, "tensor")} differ`;
}

function summary(outcome: Outcome, paint: ReturnType<typeof pico.createColors>): string {
  const { comparisons } = outcome;
  const [worst] = worstFirst(comparisons);
  const differ = comparisons.filter((one) => !one.holds).length;
  const share = worst === undefined ? "" : `${worst.tensor}, ${shareText(worst)} of its tolerance`;
  if (differ === 0) return paint.green(`All ${comparisons.length} tensors hold. The furthest off is ${share}.`);
  return paint.red(`${differ} of ${comparisons.length} tensors differ. The furthest off is ${share}.`);
}

/** One document; a number that is none (NaN, infinity) is null. */
export function reportJson(outcome: Outcome): object {
  const { trace, engine, casts, comparisons, notRecorded } = outcome;
  return {
    trace: trace.path,
    engine,
    precision: casts === 0 ? "fp32" : "bf16",
    holds: holds(outcome),
    steps: trace.steps,
    ranks: trace.ranks,
    images: trace.images,
    sets: trace.sets,
    contexts: trace.contexts,
    targets: trace.targets,
    programs: trace.lengths,
    notRecorded,
    groups: groups.flatMap((group) => {
      const [worst, ...others] = worstFirst(comparisons.filter((one) => one.group === group));
      if (worst === undefined) return [];
      const holding = [worst, ...others].filter((one) => one.holds).length;
      return [{ group, tensors: others.length + 1, holding, worst: worst.tensor, share: shareOf(worst) }];
    }),
    tensors: comparisons.map((one) => ({
      tensor: one.tensor,
      group: one.group,
      afterSteps: one.afterSteps,
      shape: one.shape,
      difference: one.difference,
      tolerance: one.tolerance,
      share: shareOf(one),
      verdict: one.holds ? "holds" : "differs",
      at: one.at,
      recorded: one.recorded,
      computed: one.computed,
    })),
  };
}
