/** A sweep as an Indexed Job of Kubernetes: pod n trains the nth of its points, or is the nth host of them. */
import { join } from "node:path";
import { stringify } from "yaml";
import { sweepFiles } from "../folders";
import type { PointTask } from "./executor";
import type { CardKind, PointNeeds } from "./needs";
import { shellWords } from "./shell";
import type { WrittenFile } from "./slurm-array";
import { commandWithThreads } from "./threads";

export interface JobPlan {
  /** Name of the Job: see jobName. */
  readonly name: string;
  readonly sweepName: string;
  readonly namespace: string | null;
  readonly image: string;
  /** The volume claim whose root is the folder that the sweep is called in. */
  readonly claim: string;
  /** That folder: an absolute path, the same in the pods as here. */
  readonly workingDirectory: string;
  /** `runs/<sweep>/kubernetes`, from the working directory. */
  readonly folder: string;
  readonly tasks: readonly PointTask[];
  /** Points at a time; null = all, or one where a point has several pods: two of them could each wait for room for ever. */
  readonly jobs: number | null;
  /** Pods of a point, each on a host of its own: point p has those from p · hosts on. */
  readonly hosts: number;
  /** Quantities of Kubernetes, such as `4` or `8Gi`; null leaves them to the cluster. */
  readonly cpu: string | null;
  readonly memory: string | null;
  /** What a pod has to have; `cpu` prevails. */
  readonly needs: PointNeeds;
}

const containerName = "trainer";

/** Time that a trainer has to end its step and save; Kubernetes would give it 30 s. */
const graceSeconds = 120;

/** How often a pod of one point is replaced after it was killed (out of memory, say). */
const mostReplacements = 3;

/**
 * The Job is never changed once it is there, so that every submission has a name of its own. A pod's name is that of the
 * Job and its index, 63 characters together.
 */
export function jobName(sweepName: string, nowMs: number): string {
  const label = sweepName.replace(/[^a-z0-9]+/g, "-").slice(0, 40);
  return `${trimmed(label) || "sweep"}-${nowMs.toString(36)}`;
}

const trimmed = (text: string): string => text.replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, "");

/** What device plugins of Kubernetes call them. */
const cardResources: { readonly [K in CardKind]: string } = { GPU: "nvidia.com/gpu", TPU: "google.com/tpu" };

const cpuOf = ({ cpu, needs }: JobPlan): string | null =>
  cpu ?? (needs.processors === null ? null : String(needs.processors));

/** The Job as its manifest says it; Kubernetes 1.29 or later. */
export function jobManifest(plan: JobPlan) {
  const labels = { "app.kubernetes.io/name": "ijepa", "ijepa/sweep": trimmed(plan.sweepName.slice(0, 63)) };
  const cpu = cpuOf(plan);
  const size = {
    ...(cpu !== null && { cpu }),
    ...(plan.memory !== null && { memory: plan.memory }),
  };
  const { cards } = plan.needs;
  const devices = cards === null ? {} : { [cardResources[cards.kind]]: cards.count };
  const { tasks, hosts } = plan;
  const atOnce = Math.min(plan.jobs ?? (hosts === 1 ? tasks.length : 1), tasks.length);
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: plan.name, ...(plan.namespace !== null && { namespace: plan.namespace }), labels },
    spec: {
      completionMode: "Indexed",
      completions: tasks.length * hosts,
      parallelism: atOnce * hosts,
      // Where one pod of a point is lost the others end too, so that all of them begin again.
      backoffLimitPerIndex: mostReplacements * hosts,
      // One pod of a point at a time: it writes to the folder of the one before.
      podReplacementPolicy: "Failed",
      podFailurePolicy: {
        rules: [
          // A node was drained, or a pod made room: that is not the point's fault and does not count.
          { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
          // A trainer that ends by itself says why, and would say the same again.
          { action: "FailIndex", onExitCodes: { containerName, operator: "In", values: [1, 2] } },
        ],
      },
      template: {
        metadata: { labels },
        spec: {
          restartPolicy: "Never",
          terminationGracePeriodSeconds: graceSeconds,
          containers: [
            {
              name: containerName,
              image: plan.image,
              workingDir: plan.workingDirectory,
              command: ["node", join(plan.folder, "launch.cjs")].map(unexpanded),
              args: tasks.map(({ point }) => point.name),
              // By these, and by its index, a pod knows that it is a rank (runtime/ranks/launchers/kubernetes.ts).
              ...(hosts > 1 && { env: [{ name: "IJEPA_RANKS", value: String(hosts) }] }),
              resources: { requests: { ...size, ...devices }, limits: devices },
              volumeMounts: [{ name: "sweep", mountPath: plan.workingDirectory }],
            },
          ],
          volumes: [{ name: "sweep", persistentVolumeClaim: { claimName: plan.claim } }],
        },
      },
    },
  };
}

/** Kubernetes reads `$(NAME)` in a command as the value of a variable; `$$` is a dollar sign. */
const unexpanded = (word: string): string => word.replaceAll("$", "$$$$");

/** job.yaml, the program of the pods, and for every point a file with its command as JSON. */
export function jobFiles(plan: JobPlan): { readonly job: WrittenFile; readonly others: readonly WrittenFile[] } {
  const file = (name: string, text: string): WrittenFile => ({ path: join(plan.folder, name), text });
  return {
    job: file("job.yaml", stringify(jobManifest(plan), { lineWidth: 0, aliasDuplicateObjects: false })),
    others: [
      file("launch.cjs", launcher),
      ...plan.tasks.map((task) => file(join("tasks", `${task.point.name}.json`), taskText(task, plan))),
    ],
  };
}

function taskText(task: PointTask, plan: JobPlan): string {
  const cpu = cpuOf(plan);
  // A pod sees all cores of its node.
  const processors = cpu === null ? null : cpu.endsWith("m") ? Number(cpu.slice(0, -1)) / 1000 : Number(cpu);
  const command = processors === null ? task.command : commandWithThreads(task, processors);
  const output = join(task.runDirectory, sweepFiles.output);
  return `${JSON.stringify({ output, heading: `$ ${shellWords(command)}`, command }, null, 2)}\n`;
}

/** No shell: an image needs nothing but node, and nothing of a spec is ever read as code. */
const launcher = `// Runs one point of a sweep in a pod of an Indexed Job. Its arguments are the names of all points; the index of the pod
// says which is its own. Written by \`ijepa sweep --executor kubernetes\`.
"use strict";
const { spawn } = require("node:child_process");
const { createWriteStream, mkdirSync, readFileSync } = require("node:fs");
const { constants } = require("node:os");
const { dirname, join } = require("node:path");

const index = Number(process.env.JOB_COMPLETION_INDEX);
const hosts = Number(process.env.IJEPA_RANKS ?? 1);
// Of the hosts that train one point together.
const rank = index % hosts;
const name = process.argv[2 + Math.floor(index / hosts)];
const { output, heading, command } = JSON.parse(readFileSync(join(__dirname, "tasks", name + ".json"), "utf8"));
mkdirSync(dirname(output), { recursive: true });
// Hosts do not write to the same file: a network disk would mix their lines.
const file = createWriteStream(rank === 0 ? output : output + "." + rank, { flags: "a" });
file.write(heading + "\\n");
const trainer = spawn(command[0], command.slice(1), {
  stdio: ["ignore", "pipe", "pipe"],
  env: { ...process.env, JOB_COMPLETION_INDEX: String(rank) },
});
for (const stream of [trainer.stdout, trainer.stderr]) {
  stream.pipe(file, { end: false });
  stream.pipe(process.stdout, { end: false });
}
// The first process of a pod gets the signals; the trainer saves.
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => trainer.kill(signal));
trainer.on("error", (error) => {
  console.error(error.message);
  process.exitCode = 127;
});
trainer.on("close", (code, signal) => {
  process.exitCode ??= code ?? 128 + constants.signals[signal];
  file.end();
});
`;
