/** graph.txt: every graph of an experiment as text, the golden that reviewers read. */
import { printGraph } from "../ir/print";
import type { Stage } from "../ir/stage";
import type { Program, TrainedStage } from "../optimise/index";
import type { Plan } from "../plan/plan";

function times(stage: Stage): string {
  if (stage.blocks === undefined) return "";
  const { network, from, to } = stage.blocks;
  return stage.repeated ? `# ${network} blocks ${from} … ${to - 1}\n` : `# ${network} block ${from}\n`;
}

export function emitListing(program: Program, plan: Plan): string {
  const { sizes, experiment } = plan;
  const { masks } = experiment;
  const programs = masks.programs.map(
    ({ contextTokens, targetTokens, probability }) =>
      `program context=${contextTokens} target=${targetTokens} probability=${probability.toFixed(4)}`,
  );
  const plain = (stage: Stage) => times(stage) + printGraph(stage.graph, sizes);
  const trained = (stage: TrainedStage) => plain(stage) + printGraph(stage.gradients.backward, sizes);
  return [
    ...programs,
    `# costs are those of C=${sizes.C} T=${sizes.T}`,
    "",
    ...program.target.stages.map(plain),
    ...program.context.stages.map(trained),
    ...program.predictor.stages.map(trained),
    printGraph(program.loss.forward, sizes),
    printGraph(program.loss.backward, sizes),
    ...program.features.stages.map(plain),
  ].join("\n");
}
