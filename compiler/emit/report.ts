/** report.md: the plan of an experiment for people, beside its generated code. */
import type { OptimiserPlan } from "../../runtime/experiment";
import { flopsText } from "../ops/cost";
import { functionCosts } from "../step/cost";
import { bytesText, countText, factsOf } from "../step/facts";
import type { MemoryEstimate } from "../step/memory";
import { memoryBySharding } from "../step/sharding";
import type { Trainer } from "../step/step";
import { comment } from "./names";

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** `2048 images = 16 devices × 1 × 128`: devices, micro-batches of each, images of one. */
function batchText(devices: number, { globalBatch, accumulation, deviceBatch }: OptimiserPlan): string {
  return `${globalBatch} images = ${devices === 1 ? "" : `${devices} devices × `}${accumulation} × ${deviceBatch}`;
}

function shardingRows({ plan, model }: Trainer): readonly (readonly string[])[] {
  const memory = memoryBySharding(plan, model);
  if (memory === null) return [];
  const text = ({ totalBytes, stateBytes }: MemoryEstimate): string =>
    `${bytesText(totalBytes)} (state ${bytesText(stateBytes)})`;
  const { whole, sharded } = memory;
  return [["memory by `shardOptimizer`", `false: ${text(whole)}, true: ${text(sharded)} on each device`]];
}

export function emitReport(trainer: Trainer): string {
  const { plan, step } = trainer;
  const facts = factsOf(step, plan);
  const { experiment } = plan;
  const { masks, schedule, optimiser } = experiment;
  const { parts, total } = facts.flopsPerStep;
  const ofEach = facts.devices === 1 ? "" : " on each device";
  return `# ${comment(experiment.name)}

${comment(plan.description)}

${table(
  ["what", "how much"],
  [
    ["encoder", `${countText(facts.parameters.encoder)} parameters`],
    ["predictor", `${countText(facts.parameters.predictor)} parameters`],
    ["tokens of an image", `${facts.tokens} = ${masks.gridHeight} × ${masks.gridWidth}`],
    ["batch", batchText(facts.devices, optimiser)],
    [
      "steps",
      `${countText(schedule.steps)} = ${optimiser.epochs === 1 ? "1 epoch" : `${optimiser.epochs} epochs`} × ${countText(optimiser.stepsPerEpoch)}`,
    ],
    ["operations per step", `${flopsText(total)}${ofEach}`],
    [
      "memory (estimate)",
      `${bytesText(facts.memory.totalBytes)}${ofEach}: state ${bytesText(facts.memory.stateBytes)}, kept for the backward pass ${bytesText(facts.memory.keptBytes)}, work ${bytesText(facts.memory.workBytes)}`,
    ],
    ...shardingRows(trainer),
  ],
)}

## Programs

One program for every number of target tokens; the context is cut to the same number of tokens for all images.

${table(
  ["target blocks (height × width)", "target tokens", "context tokens", "share of the steps"],
  facts.programs.map((each, i) => [
    masks.sizes
      .filter((size) => size.program === i)
      .map((size) => `${size.height}×${size.width} ${percent(size.probability)}`)
      .join(", "),
    String(each.targetTokens),
    String(each.contextTokens),
    percent(each.probability),
  ]),
)}

## Operations per step

${table(
  ["part", "forward", "backward", "share"],
  parts.map((part) => [
    part.name,
    flopsText(Math.round(part.forwardFlops)),
    part.backwardFlops === 0 ? "" : flopsText(Math.round(part.backwardFlops)),
    percent((part.forwardFlops + part.backwardFlops) / total),
  ]),
)}

## Operations by function

Per image and call, in the most probable program: ${plan.sizes.C} context tokens, ${plan.sizes.T} target tokens.

${table(
  ["function of step.ts", "calls", "forward", "backward"],
  functionCosts(step, plan).map((each) => [
    `\`${each.name}\``,
    String(each.calls),
    flopsText(each.forwardFlops),
    each.backwardFlops === 0 ? "" : flopsText(each.backwardFlops),
  ]),
)}
`;
}
