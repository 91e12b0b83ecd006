import { describe, expect, it } from "vitest";
import {
  endOf,
  isStuck,
  type SlurmTask,
  sacctTasks,
  squeueArguments,
  squeueTasks,
  statusOf,
} from "../../../../tools/sweep/executors/slurm-states";

/** A line as squeue writes it: fields of the widths that were asked for. */
function line(...fields: readonly string[]): string {
  const format = squeueArguments("17").at(-1) ?? "";
  const widths = [...format.matchAll(/:(\d+)/g)].map(([, width]) => Number(width));
  return widths.map((width, index) => (fields[index] ?? "").padEnd(width)).join("");
}

describe("the answer of squeue", () => {
  it("has a line for each task; those that were cancelled before they began have no index", () => {
    const text = [
      line("2", "PENDING", "0", "0", "", "JobArrayTaskLimit"),
      line("0", "RUNNING", "0", "1", "node1", "None"),
      line("1", "FAILED", "36608", "0", "node2", "NonZeroExitCode"),
      line("N/A", "CANCELLED", "0", "0", "", "JobArrayTaskLimit"),
    ].join("\n");
    expect(squeueTasks(`${text}\n`)).toEqual([
      { index: 2, state: "PENDING", waitStatus: 0, restarts: 0, node: "", reason: "JobArrayTaskLimit" },
      { index: 0, state: "RUNNING", waitStatus: 0, restarts: 1, node: "node1", reason: "" },
      { index: 1, state: "FAILED", waitStatus: 143 * 256, restarts: 0, node: "node2", reason: "NonZeroExitCode" },
    ]);
  });

  it("may be empty", () => expect(squeueTasks("")).toEqual([]));
});

it("knows tasks by sacct too", () => {
  const text = "17_0|CANCELLED by 1000|0:15|node1\n17_1|FAILED|2:0|node2\n17_[2-9]|PENDING|0:0|None assigned\n";
  expect(sacctTasks(text)).toEqual([
    { index: 0, state: "CANCELLED", waitStatus: 15, restarts: 0, node: "node1", reason: "" },
    { index: 1, state: "FAILED", waitStatus: 512, restarts: 0, node: "node2", reason: "" },
  ]);
});

const task = (over: Partial<SlurmTask>): SlurmTask => ({
  index: 0,
  state: "RUNNING",
  waitStatus: 0,
  restarts: 0,
  node: "node1",
  reason: "",
  ...over,
});

describe("a task", () => {
  const ends: readonly [over: Partial<SlurmTask>, want: ReturnType<typeof endOf>][] = [
    [{ state: "PENDING" }, null],
    [{ state: "RUNNING" }, null],
    [{ state: "COMPLETING" }, null],
    [{ state: "REQUEUED" }, null],
    [{ state: "SUSPENDED" }, null],
    [{ state: "COMPLETED" }, { exitCode: 0, why: null }],
    [
      { state: "FAILED", waitStatus: 256 },
      { exitCode: 1, why: null },
    ],
    [
      { state: "FAILED", waitStatus: 143 * 256 },
      { exitCode: 143, why: null },
    ],
    [
      { state: "FAILED", waitStatus: 9 },
      { exitCode: null, why: "killed by SIGKILL" },
    ],
    [
      { state: "FAILED", reason: "JobLaunchFailure" },
      { exitCode: null, why: "slurm: FAILED (JobLaunchFailure)" },
    ],
    [
      { state: "TIMEOUT", reason: "TimeLimit" },
      { exitCode: null, why: "slurm: TIMEOUT (TimeLimit)" },
    ],
    [
      { state: "OUT_OF_MEMORY", waitStatus: 9 },
      { exitCode: null, why: "slurm: OUT_OF_MEMORY" },
    ],
    [{ state: "NODE_FAIL" }, { exitCode: null, why: "slurm: NODE_FAIL" }],
    [
      { state: "CANCELLED", waitStatus: 15 },
      { exitCode: null, why: "slurm: CANCELLED" },
    ],
  ];
  it.each(ends)("%j ends as it should", (over, want) => expect(endOf(task(over))).toEqual(want));

  const statuses: readonly [over: Partial<SlurmTask>, want: string][] = [
    [{ state: "PENDING", reason: "Resources" }, "queued (Resources)"],
    [{ state: "PENDING", reason: "BeginTime", restarts: 1 }, "requeued (BeginTime), restart 1"],
    [{ state: "RUNNING" }, "on node1"],
    [{ state: "RUNNING", restarts: 2 }, "on node1, restart 2"],
    [{ state: "COMPLETING" }, "slurm: completing"],
  ];
  it.each(statuses)("%j is said as %s", (over, want) => expect(statusOf(task(over))).toBe(want));

  const stuck: readonly [over: Partial<SlurmTask>, want: boolean][] = [
    [{ state: "PENDING", reason: "Resources" }, false],
    [{ state: "PENDING", reason: "JobHeldUser" }, true],
    [{ state: "REQUEUE_HOLD" }, true],
  ];
  it.each(stuck)("%j waits for somebody: %s", (over, want) => expect(isStuck(task(over))).toBe(want));
});
