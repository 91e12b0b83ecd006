/** R19x: ranks of one run: how they were started, their MPI, and those that fail. */
import { UserError } from "./user-error";

/** A variable of a launcher (srun, mpirun, torchrun, Kubeflow) holds something else than it should. */
export function launcherVariableBroken(was: {
  readonly variable: string;
  readonly value: string;
  readonly wanted: string;
}): UserError {
  return new UserError(
    "R190",
    `The environment variable ${was.variable} is ${JSON.stringify(was.value)}, but it should be ${was.wanted}. ` +
      "A launcher sets it for every rank; if none started this process, unset it.",
  );
}

/** A launcher has set one of two variables that belong together. */
export function launcherVariableMissing(was: {
  readonly variable: string;
  readonly beside: string;
  readonly launcher: string;
}): UserError {
  return new UserError(
    "R191",
    `The environment variable ${was.variable} is missing: ${was.launcher} sets it together with ${was.beside}. ` +
      `Set it for every rank, or unset ${was.beside} to train alone.`,
  );
}

/** Two variables of launchers contradict one another. */
export function launchersDisagree(was: {
  readonly first: { readonly variable: string; readonly value: string };
  readonly second: { readonly variable: string; readonly value: string };
  readonly wanted: string;
}): UserError {
  const said = [was.first, was.second].map(({ variable, value }) => `${variable}=${value}`).join(" and ");
  return new UserError("R192", `The environment variables ${said} contradict one another. ${was.wanted}`);
}

/** A pod of Kubeflow is to run several processes, and nothing in it starts them. */
export function podHasSeveralRanks(was: { readonly variable: string; readonly value: string }): UserError {
  return new UserError(
    "R193",
    `${was.variable} is ${JSON.stringify(was.value)}: every pod is to run that many ranks, and this process is one. ` +
      "Start the pod's command through torchrun --no-python, which reads the same variables, or set it to 1.",
  );
}
