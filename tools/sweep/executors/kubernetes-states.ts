/** What Kubernetes says of a Job and its pods, and what that means for the points of a sweep. */
import { tryAgainExitCode } from "../../../runtime/exit";

export interface JobStates {
  /** By index: ended as these say. */
  readonly ended: ReadonlyMap<number, { readonly exitCode: number | null; readonly why: string | null }>;
  /** By index: how far the others are. */
  readonly statuses: ReadonlyMap<number, { readonly text: string; readonly isStuck: boolean }>;
  /** Why the Job is over; null while it goes on. */
  readonly over: string | null;
}

/** `job` and `pods` are the documents that `kubectl get … -o json` prints. */
export function jobStates(job: unknown, pods: unknown): JobStates {
  const latest = new Map<number, Pod>();
  for (const pod of list(pods, "items").map(podOf)) {
    if (pod === null) continue;
    const known = latest.get(pod.index);
    if (known === undefined || known.created <= pod.created) latest.set(pod.index, pod);
  }
  const status = get(job, "status");
  const ended = new Map<number, { exitCode: number | null; why: string | null }>();
  for (const index of indexes(text(status, "completedIndexes"))) ended.set(index, { exitCode: 0, why: null });
  for (const index of indexes(text(status, "failedIndexes"))) ended.set(index, failureOf(latest.get(index)));
  const statuses = new Map(
    [...latest.values()]
      .filter(({ index }) => !ended.has(index))
      .map(({ index, phase, node, waiting }) => {
        const isStuck = /^(ErrImagePull|ImagePullBackOff|InvalidImageName|CreateContainerConfigError)$/.test(waiting);
        const where = phase === "Running" ? `on ${node || "a node"}` : phase.toLowerCase();
        return [index, { text: waiting === "" ? where : `${where} (${waiting})`, isStuck }] as const;
      }),
  );
  const conditions = list(status, "conditions").filter((condition) => text(condition, "status") === "True");
  const last = conditions.find((condition) => ["Complete", "Failed"].includes(text(condition, "type")));
  const over = last === undefined ? null : text(last, "reason") || text(last, "type");
  return { ended, statuses, over };
}

/** The same by the number of the point, where each has so many pods, one after the other. */
export function ofPoints(states: JobStates, hosts: number): JobStates {
  if (hosts === 1) return states;
  const points = new Set([...states.ended.keys(), ...states.statuses.keys()].map((index) => Math.floor(index / hosts)));
  const podsOf = (point: number): readonly number[] => Array.from({ length: hosts }, (_, rank) => point * hosts + rank);
  const ended = new Map<number, { exitCode: number | null; why: string | null }>();
  const statuses = new Map<number, { text: string; isStuck: boolean }>();
  for (const point of points) {
    const ends = podsOf(point).flatMap((index) => states.ended.get(index) ?? []);
    if (ends.length === hosts) {
      // All end where one fails: what it says is the reason, and that another one is lost follows from it.
      const failures = ends.filter(({ exitCode }) => exitCode !== 0);
      const isReason = ({ exitCode }: { readonly exitCode: number | null }): boolean => exitCode !== tryAgainExitCode;
      ended.set(point, failures.find(isReason) ?? failures[0] ?? { exitCode: 0, why: null });
      continue;
    }
    const told = podsOf(point).flatMap((index) => states.statuses.get(index) ?? []);
    const texts = [...new Set(told.map(({ text }) => text))];
    statuses.set(point, { text: texts.join(", ") || "ending", isStuck: told.some(({ isStuck }) => isStuck) });
  }
  return { ended, statuses, over: states.over };
}

interface Pod {
  readonly index: number;
  readonly created: string;
  readonly phase: string;
  readonly node: string;
  /** Why its container does not start; empty where it does. */
  readonly waiting: string;
  readonly exitCode: number | null;
  /** `OOMKilled`, `Evicted`; empty where nothing special happened. */
  readonly reason: string;
}

function podOf(pod: unknown): Pod | null {
  const metadata = get(pod, "metadata");
  const index = text(get(metadata, "annotations"), "batch.kubernetes.io/job-completion-index");
  if (!/^\d+$/.test(index)) return null;
  const status = get(pod, "status");
  const state = get(list(status, "containerStatuses")[0], "state");
  const terminated = get(state, "terminated");
  const exitCode = get(terminated, "exitCode");
  const reason = text(terminated, "reason");
  return {
    index: Number(index),
    created: text(metadata, "creationTimestamp"),
    phase: text(status, "phase"),
    node: text(get(pod, "spec"), "nodeName"),
    waiting: text(get(state, "waiting"), "reason") || text(unscheduled(status), "reason"),
    exitCode: typeof exitCode === "number" ? exitCode : null,
    reason: reason === "Error" || reason === "Completed" ? text(status, "reason") : reason || text(status, "reason"),
  };
}

/** The condition of a pod that no node has room for. */
const unscheduled = (status: unknown): unknown =>
  list(status, "conditions").find(
    (condition) => text(condition, "type") === "PodScheduled" && text(condition, "status") === "False",
  );

function failureOf(pod: Pod | undefined): { readonly exitCode: number | null; readonly why: string | null } {
  if (pod === undefined) return { exitCode: null, why: "kubernetes: failed" };
  if (pod.reason !== "") return { exitCode: null, why: `kubernetes: ${pod.reason}` };
  return pod.exitCode === null ? { exitCode: null, why: "kubernetes: failed" } : { exitCode: pod.exitCode, why: null };
}

/** `1,3-5,7` → 1, 3, 4, 5, 7 */
export function indexes(ranges: string): readonly number[] {
  return ranges.split(",").flatMap((range) => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
    if (first === undefined) return [];
    return Array.from({ length: Number(last) - Number(first) + 1 }, (_, offset) => Number(first) + offset);
  });
}

function get(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null
    ? Object.entries(value).find(([name]) => name === key)?.[1]
    : undefined;
}

function text(value: unknown, key: string): string {
  const found = get(value, key);
  return typeof found === "string" ? found : "";
}

function list(value: unknown, key: string): readonly unknown[] {
  const found = get(value, key);
  return Array.isArray(found) ? found : [];
}
