/** Kubernetes: Kubeflow's trainer, its older PyTorchJob, and Indexed Jobs. A pod is one rank. */
import { podHasSeveralRanks } from "../../errors";
import type { Told } from "./told";
import { addressOf, countOf, has, placeOf, textOf, type Variables } from "./variables";

/**
 * Kubeflow Trainer (v2). PET_… are arguments of torchrun and count hosts, so they are ranks only where a host has one.
 * Started by torchrun, the process has torchrun's own variables, which were looked at before.
 */
export function kubeflowTrainer(variables: Variables): Told | null {
  if (!has(variables, "PET_NNODES") && !has(variables, "PET_NODE_RANK")) return null;
  oneRankPerPod(variables, "PET_NPROC_PER_NODE");
  const host = textOf(variables, "PET_MASTER_ADDR");
  const port = countOf(variables, "PET_MASTER_PORT", 1);
  const place = placeOf(variables, { rank: "PET_NODE_RANK", size: "PET_NNODES", launcher: "Kubeflow" });
  return {
    launcher: "Kubeflow",
    ...place,
    localRank: 0,
    localSize: 1,
    node: place.rank,
    host: textOf(variables, "HOSTNAME"),
    address: host === null || port === null ? null : { host, port },
  };
}

/**
 * RANK and WORLD_SIZE. A PyTorchJob of Kubeflow v1 counts pods with them, whatever a pod is to run; accelerate and
 * people count ranks. They are the same as long as a pod has one rank.
 */
export function plainEnvironment(variables: Variables): Told | null {
  if (!has(variables, "RANK") && !has(variables, "WORLD_SIZE")) return null;
  const place = placeOf(variables, { rank: "RANK", size: "WORLD_SIZE", launcher: "whoever set the other" });
  const localRank = countOf(variables, "LOCAL_RANK", 0);
  if (localRank === null) {
    oneRankPerPod(variables, "PET_NPROC_PER_NODE");
    oneRankPerPod(variables, "NPROC_PER_NODE");
  }
  return {
    launcher: "environment",
    ...place,
    localRank,
    node: countOf(variables, "NODE_RANK", 0),
    address: addressOf(variables),
  };
}

/**
 * An Indexed Job tells its pods their index and not how many they are. IJEPA_RANKS says so, and that the pods are ranks
 * of one run: points of a sweep have an index as well.
 */
export function kubernetesJob(variables: Variables): Told | null {
  if (!has(variables, "IJEPA_RANKS")) return null;
  const place = placeOf(variables, { rank: "JOB_COMPLETION_INDEX", size: "IJEPA_RANKS", launcher: "an Indexed Job" });
  return {
    launcher: "Kubernetes",
    ...place,
    localRank: 0,
    localSize: 1,
    node: place.rank,
    host: textOf(variables, "HOSTNAME"),
    address: addressOf(variables),
  };
}

function oneRankPerPod(variables: Variables, variable: string): void {
  const value = textOf(variables, variable);
  if (value !== null && value !== "1") throw podHasSeveralRanks({ variable, value });
}
