/** graph.txt: every graph of an experiment as text, the golden that reviewers read. */
import type { TrainedStage } from "../autodiff/trained";
import { type Graph, groupType, type Node } from "../ir/graph";
import { nameOf, type Sizes, shapeText } from "../ir/number";
import type { Stage } from "../ir/stage";
import { costOf, flopsText } from "../ops/cost";
import type { Trainer } from "../step/step";

function times(stage: Stage): string {
  if (stage.blocks === undefined) return "";
  const { network, from, to } = stage.blocks;
  return stage.repeated ? `# ${network} blocks ${from} … ${to - 1}\n` : `# ${network} block ${from}\n`;
}

function attrText(node: Node): string {
  const entries = Object.entries(node.attrs)
    .filter(([name, value]) => !(name === "beta" && value === 1))
    .map(([name, value]) => `${name}=${typeof value === "boolean" ? value : nameOf(value).replaceAll(" ", "")}`);
  return entries.length === 0 ? "" : `{${entries.join(" ")}} `;
}

/** One node per line, with what it costs. */
function graphText(graph: Graph, sizes: Sizes): string {
  const lines = [
    `graph ${graph.name}`,
    ...graph.groups.map((group) => `  weights ${group.name}: ${groupType(group.type)} = ${group.path}`),
    ...graph.inputs.map((value) => `  input   ${value.name}: ${value.dtype}${shapeText(value.shape)}`),
    ...graph.nodes.map((node) => {
      const outputs = node.outputs.map((value) => `${value.name}: ${value.dtype}${shapeText(value.shape)}`).join(", ");
      const { flops } = costOf(node, sizes);
      const operands = node.inputs.map((value) => value.name).join(" ");
      return `  ${outputs} = ${node.op} ${attrText(node)}${operands}${flops === 0 ? "" : ` ; ${flopsText(flops)}`}`.trimEnd();
    }),
    `  output  ${graph.outputs.map((value) => value.name).join(", ")}`,
  ];
  return `${lines.join("\n")}\n`;
}

export function emitListing({ plan, model }: Trainer): string {
  const { sizes, experiment } = plan;
  const { masks } = experiment;
  const programs = masks.programs.map(
    ({ contextTokens, targetTokens, probability }) =>
      `program context=${contextTokens} target=${targetTokens} probability=${probability.toFixed(4)}`,
  );
  const plain = (stage: Stage) => times(stage) + graphText(stage.graph, sizes);
  const trained = (stage: TrainedStage) => plain(stage) + graphText(stage.gradients.backward, sizes);
  return [
    ...programs,
    `# costs are those of C=${sizes.C} T=${sizes.T}`,
    "",
    ...model.images.stages.map(plain),
    ...model.chains.flatMap((chain) => (chain.kind === "frozen" ? chain.stages.map(plain) : chain.stages.map(trained))),
    graphText(model.loss.forward, sizes),
    graphText(model.loss.backward, sizes),
    ...(model.regularizer === undefined
      ? []
      : [graphText(model.regularizer.term.forward, sizes), graphText(model.regularizer.term.backward, sizes)]),
    ...model.features.stages.map(plain),
  ].join("\n");
}
