/** graph.txt: every graph of an experiment as text, the golden that reviewers read. */
import type { TrainedStage } from "../autodiff/trained";
import { printGraph } from "../ir/print";
import type { Stage } from "../ir/stage";
import type { Trainer } from "../step/step";

function times(stage: Stage): string {
  if (stage.blocks === undefined) return "";
  const { network, from, to } = stage.blocks;
  return stage.repeated ? `# ${network} blocks ${from} … ${to - 1}\n` : `# ${network} block ${from}\n`;
}

export function emitListing({ plan, model }: Trainer): string {
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
    ...model.target.stages.map(plain),
    ...model.context.stages.map(trained),
    ...model.predictor.stages.map(trained),
    printGraph(model.loss.forward, sizes),
    printGraph(model.loss.backward, sizes),
    ...model.features.stages.map(plain),
  ].join("\n");
}
