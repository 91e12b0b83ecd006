/**
 * Slurm. Only `srun` starts ranks, and it says so: the variables of its job step are SLURM_STEP_…. A batch script and a
 * shell of salloc see SLURM_NTASKS as well, and a batch script even SLURM_PROCID=0, but they are one process.
 */
import { launchersDisagree, launcherVariableBroken } from "../../errors";
import type { Told } from "./told";
import { countOf, has, placeOf, textOf, type Variables } from "./variables";

export function slurmStep(variables: Variables): Told | null {
  if (!has(variables, "SLURM_STEP_ID") || !has(variables, "SLURM_STEP_NUM_TASKS")) return null;
  const place = placeOf(variables, { rank: "SLURM_PROCID", size: "SLURM_STEP_NUM_TASKS", launcher: "srun" });
  const pmiSize = countOf(variables, "PMI_SIZE", 1);
  if (pmiSize !== null && pmiSize !== place.size) {
    throw launchersDisagree({
      first: { variable: "SLURM_STEP_NUM_TASKS", value: String(place.size) },
      second: { variable: "PMI_SIZE", value: String(pmiSize) },
      wanted: "Both count the ranks that srun started; unset the one that another program left behind.",
    });
  }
  const node = countOf(variables, "SLURM_NODEID", 0);
  const tasks = textOf(variables, "SLURM_STEP_TASKS_PER_NODE");
  return {
    launcher: "Slurm",
    ...place,
    localRank: countOf(variables, "SLURM_LOCALID", 0),
    localSize: node === null || tasks === null ? null : (tasksPerNode(tasks)[node] ?? null),
    node,
    host: textOf(variables, "SLURMD_NODENAME"),
    wireUp: has(variables, "PMIX_RANK") ? "pmix" : has(variables, "PMI_FD") || pmiSize !== null ? "pmi" : null,
  };
}

/** `2(x3),1` → 2, 2, 2, 1. */
function tasksPerNode(text: string): readonly number[] {
  return text.split(",").flatMap((part) => {
    const match = /^(\d+)(?:\(x(\d{1,6})\))?$/.exec(part);
    if (match === null) {
      throw launcherVariableBroken({
        variable: "SLURM_STEP_TASKS_PER_NODE",
        value: text,
        wanted: "numbers of tasks as Slurm writes them, such as 2(x3),1",
      });
    }
    return new Array<number>(Number(match[2] ?? 1)).fill(Number(match[1]));
  });
}

/** A hint for who asked Slurm for several tasks and started one process. */
export function slurmJobWithoutStep(variables: Variables): string | null {
  const tasks = textOf(variables, "SLURM_NTASKS");
  if (!has(variables, "SLURM_JOB_ID") || tasks === null || tasks === "1") return null;
  return `This Slurm job has ${tasks} tasks (SLURM_NTASKS), but srun did not start this process, so it is the only one. Start it with srun to have ${tasks} ranks.`;
}
