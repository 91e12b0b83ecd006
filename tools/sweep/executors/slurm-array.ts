/** What a sweep on Slurm consists of: the script of a job array, and for every point a file with its command. */
import { join, resolve } from "node:path";
import { sweepFiles } from "../folders";
import type { PointTask } from "./executor";
import { needsOf, type PointNeeds } from "./needs";
import { shellWord } from "./shell";
import { leavesThreads } from "./threads";

export interface ArrayPlan {
  readonly sweepName: string;
  /** `runs/<sweep>/slurm`, as the machines of the cluster find it from the folder where the sweep was called. */
  readonly folder: string;
  readonly tasks: readonly PointTask[];
  /** Where node looks for the engine's packages besides the usual places. */
  readonly nodePath: string;
}

export interface WrittenFile {
  readonly path: string;
  readonly text: string;
}

/**
 * Task n of the array is the nth name of the script. sbatch takes a copy of the script when it submits, so a later
 * submission, with other points, does not change what the tasks of an earlier one are.
 *
 * Names of points have a pattern that no shell reads anything into. All else that comes from a spec or from a path
 * stays out of the script: it stands in the task's file, with a NUL after every word.
 */
export function arrayFiles(plan: ArrayPlan): { readonly script: WrittenFile; readonly tasks: readonly WrittenFile[] } {
  return {
    script: { path: join(plan.folder, "array.sh"), text: scriptText(plan) },
    tasks: plan.tasks.map((task) => ({
      path: join(plan.folder, "tasks", task.point.name),
      text: nulSeparated([
        join(task.runDirectory, sweepFiles.output),
        leavesThreads(task) ? String(needsOf(task.point.spec).processorShares) : "given",
        ...task.command,
      ]),
    })),
  };
}

function scriptText({ sweepName, folder, tasks, nodePath }: ArrayPlan): string {
  return `#!/bin/bash
# The sweep ${sweepName} as a job array: task n is the nth of these points. Written by \`ijepa sweep --executor slurm\`.
points=(
${tasks.map(({ point }) => `  ${legalName(point.name)}`).join("\n")}
)
point=\${points[\${SLURM_ARRAY_TASK_ID:?this script is a job array, see sbatch --array}]}
export NODE_PATH=${shellWord(nodePath)}

# The file of the point: where its output goes; the number of devices that divide the processors, where nobody has given it
# threads; then its program and arguments.
words=()
while IFS= read -r -d '' word; do words+=("$word"); done < ${shellWord(join(folder, "tasks"))}/"$point" || exit
echo "$point: job $SLURM_JOB_ID on $SLURMD_NODENAME, restart \${SLURM_RESTART_COUNT:-0}; its output goes to \${words[0]}"
if [ "\${words[1]}" != given ]; then
  threads=$((\${SLURM_CPUS_ON_NODE:-1} / words[1]))
  words+=(--threads "$((threads > 0 ? threads : 1))")
fi

{ printf '$' && printf ' %q' "\${words[@]:2}" && echo; } >> "\${words[0]}" || exit

# In place of the shell, so that a SIGTERM of scancel, or before the time limit, reaches the trainer, which saves.
exec "\${words[@]:2}" >> "\${words[0]}" 2>&1
`;
}

function nulSeparated(words: readonly string[]): string {
  // No argument of a program holds one, so this would be two words out of one.
  if (words.some((word) => word.includes("\0"))) throw new Error("internal: a NUL in a command");
  return words.map((word) => `${word}\0`).join("");
}

/** The pattern of schema/experiment.schema.json; what does not match never gets here. */
function legalName(name: string): string {
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(name)) throw new Error(`internal: a point is called ${JSON.stringify(name)}`);
  return name;
}

export interface Submission {
  readonly sweepName: string;
  readonly folder: string;
  readonly script: string;
  readonly tasks: number;
  /** So many at a time; null = as many as the cluster gives. */
  readonly jobs: number | null;
  readonly needs: PointNeeds;
  /** What the person says to sbatch; it comes last, where it prevails over what stands before it. */
  readonly extra: readonly string[];
}

/** The arguments of sbatch. */
export function sbatchArguments({
  sweepName,
  folder,
  script,
  tasks,
  jobs,
  needs,
  extra,
}: Submission): readonly string[] {
  // In a file name of sbatch `%` begins a field, and a backslash would turn the fields off.
  const log = join(folder.replaceAll("%", "%%"), "%A_%a.log");
  return [
    `--job-name=ijepa-${sweepName}`,
    "--requeue",
    "--open-mode=append",
    `--output=${log}`,
    // To the trainer itself and a minute before the time limit, which else ends it with whatever was saved last.
    "--signal=B:TERM@60",
    ...deviceArguments(needs, extra),
    ...extra,
    "--parsable",
    `--array=0-${tasks - 1}${jobs === null ? "" : `%${jobs}`}`,
    resolve(script),
  ];
}

/** Ways of saying the same to sbatch; two of them may contradict one another, so the person's word leaves ours out. */
const forms = {
  gpus: /^(--gres|--gpus|--gpus-per-node|--gpus-per-task|--gpus-per-socket|-G)(=|$|:|\d)/,
  processors: /^(--cpus-per-task|--cpus-per-gpu|--ntasks|--ntasks-per-node|--exclusive|-c|-n)(=|$|\d)/,
};

/** A point is one task on one node: the trainer starts its ranks there by itself. */
function deviceArguments({ cards, processors }: PointNeeds, extra: readonly string[]): readonly string[] {
  const says = (form: RegExp): boolean => extra.some((option) => form.test(option));
  return [
    ...(processors === null || says(forms.processors) ? [] : [`--cpus-per-task=${processors}`]),
    ...(cards?.kind !== "GPU" || says(forms.gpus) ? [] : [`--gres=gpu:${cards.count}`]),
  ];
}
