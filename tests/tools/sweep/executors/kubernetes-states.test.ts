import { describe, expect, it } from "vitest";
import { indexes, jobStates, ofPoints } from "../../../../tools/sweep/executors/kubernetes-states";

/** A pod as the API shows it, without what nobody reads. */
const pod = (index: number, status: object, over: { created?: string; node?: string } = {}) => ({
  metadata: {
    creationTimestamp: over.created ?? "2026-11-21T10:00:00Z",
    annotations: { "batch.kubernetes.io/job-completion-index": String(index) },
  },
  spec: { nodeName: over.node },
  status,
});
const ended = (exitCode: number, reason = "Error") => ({
  phase: "Failed",
  containerStatuses: [{ state: { terminated: { exitCode, reason } } }],
});
const waiting = (reason: string) => ({ phase: "Pending", containerStatuses: [{ state: { waiting: { reason } } }] });
const noRoom = { phase: "Pending", conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable" }] };

describe("ranges of indexes", () => {
  const cases: readonly [text: string, want: readonly number[]][] = [
    ["", []],
    ["4", [4]],
    ["0-2,5,7-8", [0, 1, 2, 5, 7, 8]],
  ];
  it.each(cases)("%s", (text, want) => expect(indexes(text)).toEqual(want));
});

describe("the states of points that have several pods", () => {
  const cases: readonly [what: string, job: object, pods: readonly object[], want: object][] = [
    [
      "one is done, the other is on its way",
      { completedIndexes: "0,1" },
      [pod(2, { phase: "Running" }, { node: "a" }), pod(3, noRoom)],
      {
        ended: new Map([[0, { exitCode: 0, why: null }]]),
        statuses: new Map([[1, { text: "on a, pending (Unschedulable)", isStuck: false }]]),
      },
    ],
    [
      "a pod is done before the others",
      { completedIndexes: "0" },
      [pod(1, { phase: "Running" }, { node: "a" })],
      { ended: new Map(), statuses: new Map([[0, { text: "on a", isStuck: false }]]) },
    ],
    [
      "one pod failed by itself, and the other lost it",
      { failedIndexes: "0,1" },
      [pod(0, ended(75)), pod(1, ended(137, "OOMKilled"))],
      { ended: new Map([[0, { exitCode: null, why: "kubernetes: OOMKilled" }]]), statuses: new Map() },
    ],
  ];
  it.each(cases)("%s", (_, status, items, want) => {
    expect(ofPoints(jobStates({ status }, { items }), 2)).toEqual({ ...want, over: null });
  });
});

describe("the states of a Job", () => {
  it("are those of its pods, the newest of each point", () => {
    const states = jobStates(
      { status: { completedIndexes: "0", failedIndexes: "1,4" } },
      {
        items: [
          pod(0, { phase: "Succeeded" }),
          pod(1, ended(2)),
          pod(2, ended(137), { created: "2026-11-21T10:00:00Z" }),
          pod(2, { phase: "Running" }, { created: "2026-11-21T10:05:00Z", node: "gpu-7" }),
          pod(3, noRoom),
          pod(4, ended(137, "OOMKilled")),
          pod(5, waiting("ImagePullBackOff")),
          { metadata: {} },
        ],
      },
    );
    expect([...states.ended]).toEqual([
      [0, { exitCode: 0, why: null }],
      [1, { exitCode: 2, why: null }],
      [4, { exitCode: null, why: "kubernetes: OOMKilled" }],
    ]);
    expect([...states.statuses]).toEqual([
      [2, { text: "on gpu-7", isStuck: false }],
      [3, { text: "pending (Unschedulable)", isStuck: false }],
      [5, { text: "pending (ImagePullBackOff)", isStuck: true }],
    ]);
    expect(states.over).toBeNull();
  });

  it("say why it is over", () => {
    const failed = { type: "Failed", status: "True", reason: "FailedIndexes" };
    expect(jobStates({ status: { conditions: [failed] } }, {}).over).toBe("FailedIndexes");
    expect(jobStates({ status: { conditions: [{ type: "Complete", status: "True" }] } }, {}).over).toBe("Complete");
    expect(jobStates({ status: { conditions: [{ ...failed, status: "False" }] } }, {}).over).toBeNull();
  });

  it.each([[null], ["x"], [{}], [{ status: { conditions: 1 }, items: 2 }]])("of %j are none", (document) => {
    expect(jobStates(document, document)).toEqual({ ended: new Map(), statuses: new Map(), over: null });
  });
});
