/** report.md: the plan of an experiment for people, beside its generated code. */
import type { OptimizerPlan } from "../../runtime/experiment";
import { objectiveOf } from "../objectives";
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
function batchText(devices: number, { globalBatch, accumulation, deviceBatch }: OptimizerPlan): string {
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

/** A rate to four digits, without the noise of binary fractions. */
const rate = (value: number): string => String(Number(value.toPrecision(4)));

function schedulesText({ plan: { experiment } }: Trainer): string {
  const { schedule, optimizer } = experiment;
  const stretched = schedule.curveSteps === schedule.steps ? "" : ` of ${countText(schedule.curveSteps)} steps`;
  return table(
    ["what", "from", "to", "how"],
    [
      [
        "learning rate",
        `${rate(schedule.lrStart)}, then ${rate(schedule.lrPeak)}`,
        rate(schedule.lrFinal),
        `linear over ${countText(schedule.warmupSteps)} steps of warm-up, then half a cosine${stretched}`,
      ],
      ["weight decay", rate(schedule.weightDecayStart), rate(schedule.weightDecayFinal), `half a cosine${stretched}`],
      ...(schedule.momentumStart === undefined || schedule.momentumFinal === undefined
        ? []
        : [["momentum of the target encoder", rate(schedule.momentumStart), rate(schedule.momentumFinal), "linear"]]),
      ["AdamW", `β1 ${optimizer.beta1}, β2 ${optimizer.beta2}, eps ${optimizer.eps}`, "", "constant"],
    ],
  );
}

/** The passes that changed a function, with what its forward pass costs before and after, of one image. */
function passesText({ passes }: Trainer["model"]): string {
  return table(
    ["pass", "function of step.ts", "because", "forward, before", "after"],
    passes
      .filter(({ pass, applied }) => applied && pass !== "remove dead")
      .map((fact) => [
        fact.pass,
        `\`${fact.function}\``,
        fact.because,
        ...[fact.flopsBefore, fact.flopsAfter].map((each) => flopsText(Math.round(each))),
      ]),
  );
}

export function emitReport(trainer: Trainer): string {
  const { plan, step } = trainer;
  const facts = factsOf(step, plan);
  const { experiment } = plan;
  const { masks, schedule, optimizer } = experiment;
  const { parts, total } = facts.flopsPerStep;
  const objective = objectiveOf(experiment.objective);
  const programs = objective.programs(experiment);
  const { seen, predicted } = objective.tokens;
  const ofEach = facts.devices === 1 ? "" : " on each device";
  return `# ${comment(experiment.name)}

${comment(plan.description)}

${table(
  ["what", "how much"],
  [
    ...Object.entries(facts.parameters).map(([network, count]) => [network, `${countText(count)} parameters`]),
    ["tokens of an image", `${facts.tokens} = ${masks.gridHeight} × ${masks.gridWidth}`],
    ["batch", batchText(facts.devices, optimizer)],
    [
      "steps",
      `${countText(schedule.steps)} = ${optimizer.epochs === 1 ? "1 epoch" : `${optimizer.epochs} epochs`} × ${countText(optimizer.stepsPerEpoch)}`,
    ],
    ["operations per step", `${flopsText(total)}${ofEach}`],
    [
      "memory (estimate)",
      `${bytesText(facts.memory.totalBytes)}${ofEach}: state ${bytesText(facts.memory.stateBytes)}, kept for the backward pass ${bytesText(facts.memory.keptBytes)}, work ${bytesText(facts.memory.workBytes)}`,
    ],
    ...shardingRows(trainer),
  ],
)}

## How to run

\`node train.js\` in this folder trains into \`${comment(experiment.runDirectory)}\`, \`--resume\` goes on with a run that was
stopped, and \`--help\` lists what else it takes. After a change of the spec, \`ijepa compile\` writes these files anew.

## Schedules

${schedulesText(trainer)}

## Programs

${programs.note}

${table(programs.head, programs.rows)}

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

## Passes that applied

${passesText(trainer.model)}

## Operations by function

Per image and call, in the most probable program: ${plan.sizes.C} ${seen} tokens, ${plan.sizes.T} ${predicted} tokens.

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
