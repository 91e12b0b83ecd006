/** How the weights spread, for loggers that show it: every matrix of both networks. */
import type { StateStore } from "../engines/engine";
import type { TrainerProgram } from "../experiment";
import type { RunLoggers } from "./open";

/** Null where nobody asks for it. What is given shows the weights as they are after `step` steps. */
export function weightSpreads(
  { parameters }: Pick<TrainerProgram, "parameters">,
  store: Pick<StateStore, "read">,
  { spread }: Pick<RunLoggers, "spread">,
): ((step: number) => Promise<void>) | null {
  if (spread === null) return null;
  return async (step) => {
    for (const { path, shape } of parameters) {
      if (shape.length > 1) spread(step, { name: `weights/${path}`, values: await store.read(`weights.${path}`) });
    }
  };
}
