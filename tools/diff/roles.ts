/** Which blocks of a network a generated function runs. */
import type { Compiled } from "../../compiler/compile";
import type { Stage } from "../../compiler/ir/stage";

/** By the name of the function, e.g. `block 2 of 3 of the predictor`. */
export type Roles = Readonly<Record<string, string>>;

export function rolesOf({ model }: Pick<Compiled, "model">): Roles {
  const stages = model.chains
    .flatMap((chain): readonly Stage[] => chain.stages)
    .flatMap(({ graph, blocks }) => (blocks === undefined ? [] : [{ name: graph.name, blocks }]));
  const depths = new Map(model.networks.map(({ name, depth }) => [name, depth]));
  return Object.fromEntries(
    stages.map(({ name, blocks }) => [name, roleText(blocks, depths.get(blocks.network) ?? 0)]),
  );
}

function roleText({ network, from, to }: NonNullable<Stage["blocks"]>, depth: number): string {
  const which = to - from === 1 ? `block ${to}` : `blocks ${from + 1} to ${to}`;
  return `${which} of ${depth} of the ${network}`;
}
