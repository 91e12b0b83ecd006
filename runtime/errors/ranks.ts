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

const mpiPackages = {
  "Open MPI": "apt install openmpi-bin, dnf install openmpi, brew install open-mpi",
  MPICH: "apt install mpich, dnf install mpich, brew install mpich",
} as const;

/** Ranks add up their gradients through MPI, and there is no library of it. */
export function mpiMissing(was: {
  readonly wanted: keyof typeof mpiPackages;
  /** Libraries that are there and do not load, each with the reason. */
  readonly refused: readonly string[];
}): UserError {
  const there = was.refused.length === 0 ? "" : ` These were found and cannot be used:${lines(was.refused)}\n`;
  return new UserError(
    "R194",
    `There is no MPI library for the ${was.wanted} launcher that started this rank.${there || " "}` +
      `Install it on every host (${mpiPackages[was.wanted]}), or name it with IJEPA_MPI_LIBRARY=/path/to/libmpi.so.`,
  );
}

/** The MPI library belongs to another launcher: with it every rank would be alone. */
export function mpiOfOtherLauncher(was: {
  readonly path: string;
  readonly found: string;
  readonly launcher: keyof typeof mpiPackages;
}): UserError {
  return new UserError(
    "R195",
    `The ranks were started by the launcher of ${was.launcher}, but the MPI library here (${was.path}) is ${was.found}. ` +
      `Start them with the mpirun of ${was.found}, or install ${was.launcher} (${mpiPackages[was.launcher]}).`,
  );
}

/** MPI and the launcher count other ranks. */
export function mpiSizeDiffers(was: {
  readonly launcher: string;
  readonly told: { readonly rank: number; readonly size: number };
  readonly found: { readonly rank: number; readonly size: number };
  readonly version: string;
}): UserError {
  return new UserError(
    "R196",
    `${was.launcher} started this as rank ${was.told.rank} of ${was.told.size}, but for MPI it is rank ${was.found.rank} of ` +
      `${was.found.size} (${was.version}). The launcher and the library do not belong together: use the mpirun of the same ` +
      "MPI, or under Slurm srun --mpi=pmi2 for MPICH and --mpi=pmix for Open MPI.",
  );
}

const mpiJob =
  "In Kubernetes an MPIJob (kubeflow.org/v2beta1 of the MPI Operator) starts mpirun over its pods; nothing in an Indexed Job or a " +
  "TrainJob does. On engine xla with device gpu no MPI is needed.";

const howToWireUp: Readonly<Record<string, string>> = {
  Slurm: "Say srun --mpi=pmi2 for MPICH or srun --mpi=pmix for Open MPI (srun --mpi=list shows which this Slurm has).",
  Kubernetes: mpiJob,
  Kubeflow: mpiJob,
};

/** The launcher starts processes and does not tell an MPI library of them. */
export function launcherWithoutMpi(was: { readonly launcher: string; readonly size: number }): UserError {
  const how = howToWireUp[was.launcher] ?? "Start them with mpirun, or with srun --mpi=pmi2 or --mpi=pmix.";
  return new UserError(
    "R197",
    `${was.launcher} started ${was.size} ranks without a way for MPI to join them, and this trainer adds up gradients through ` +
      `MPI. ${how}`,
  );
}

/** A function of the MPI library reports an error. */
export function mpiFailed(was: { readonly call: string; readonly why: string }): UserError {
  return new UserError(
    "R198",
    `${was.call} failed: ${was.why}. Look for the first rank that failed; if none did, the network between the hosts may have.`,
  );
}

/** Ranks of one run were started with other specs, generators or numbers of ranks. */
export function ranksDisagree(was: {
  readonly what: string;
  readonly first: { readonly rank: number; readonly host: string; readonly value: string };
  readonly other: { readonly rank: number; readonly host: string; readonly value: string };
  /** How many ranks differ from rank 0. */
  readonly differing: number;
}): UserError {
  const said = ({ rank, host, value }: typeof was.first): string => `rank ${rank} on ${host} has ${value}`;
  const more = was.differing > 1 ? ` ${was.differing} ranks differ from rank 0.` : "";
  return new UserError(
    "R199",
    `The ranks do not agree about the ${was.what}: ${said(was.first)}, ${said(was.other)}.${more} ` +
      "All must run the same train.js with the same flags; copy it to every host, or put it on a disk that they share.",
  );
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `\n  ${text}`).join("");
}
