/**
 * How this process was started: alone, or as rank r of n. A pure function of the environment.
 *
 * The innermost launcher counts: torchrun before MPI, MPI before Slurm, since `mpirun` in a Slurm job starts its ranks
 * below a job step whose variables count hosts and not ranks.
 */
import { kubeflowTrainer, kubernetesJob, plainEnvironment } from "./launchers/kubernetes";
import { hydra, openMpi, pmi } from "./launchers/mpi";
import { slurmJobWithoutStep, slurmStep } from "./launchers/slurm";
import type { Launch, Told } from "./launchers/told";
import { torchrun } from "./launchers/torchrun";
import type { Variables } from "./launchers/variables";

export type { Launch, Launcher } from "./launchers/told";

const alone: Launch = {
  launcher: null,
  rank: 0,
  size: 1,
  localRank: 0,
  localSize: 1,
  node: 0,
  host: null,
  address: null,
  wireUp: null,
  note: null,
};

/** From the innermost launcher to the outermost; null = was not started by it. */
const launchers: readonly ((variables: Variables) => Told | null)[] = [
  torchrun,
  openMpi,
  hydra,
  slurmStep,
  pmi,
  kubeflowTrainer,
  plainEnvironment,
  kubernetesJob,
];

/**
 * Throws R190–R192 where a variable of a launcher is broken or missing, or where two contradict one another. Only what
 * belongs to the launcher that counts is looked at.
 */
export function launchOf(variables: Variables): Launch {
  for (const launcher of launchers) {
    const told = launcher(variables);
    if (told !== null) return { ...alone, localRank: null, localSize: null, node: null, ...told };
  }
  return { ...alone, note: slurmJobWithoutStep(variables) };
}
