/** Executors by name, each loaded only when it is wanted. */
import { errors } from "../../../compiler/diagnostics/catalogue";
import type { Executor } from "./executor";
import { ExecutorRefused } from "./refused";

export const executorNames = ["local", "slurm", "kubernetes", "ray"] as const satisfies readonly Executor["name"][];

export interface ExecutorChoice {
  readonly name: string;
  /** Points at a time; null where the person did not say. */
  readonly jobs: number | null;
  /** What follows `--`; for local it is for the trainers, and none of its business. */
  readonly args: readonly string[];
}

/** Throws ExecutorRefused or CommanderError where the choice makes no sense. */
export async function loadExecutor({ name, jobs, args }: ExecutorChoice): Promise<Executor> {
  switch (name) {
    case "local":
      return (await import("./local")).localExecutor({ jobs: jobs ?? 1 });
    case "slurm": {
      const { parseOptions, slurmExecutor } = await import("./slurm");
      return slurmExecutor({ ...parseOptions(args), jobs });
    }
    case "kubernetes": {
      const { kubernetesExecutor, parseOptions } = await import("./kubernetes");
      return kubernetesExecutor({ ...parseOptions(args), jobs });
    }
    case "ray": {
      const { parseOptions, rayExecutor } = await import("./ray");
      return rayExecutor({ ...parseOptions(args), jobs });
    }
    default:
      throw new ExecutorRefused(
        errors.badUsage({ what: `there is no executor '${name}'`, hint: `There are ${executorNames.join(", ")}.` }),
      );
  }
}
