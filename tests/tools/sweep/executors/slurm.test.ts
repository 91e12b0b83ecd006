import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ExecutorRefused } from "../../../../tools/sweep/executors/refused";
import { parseOptions, slurmExecutor } from "../../../../tools/sweep/executors/slurm";
import { squeueArguments } from "../../../../tools/sweep/executors/slurm-states";
import { fakeTool, pointTask, quick, recordingContext, scratch } from "./support";

type State = readonly [
  index: number,
  state: string,
  status?: number,
  restarts?: number,
  node?: string,
  reason?: string,
];

const widths = [...(squeueArguments("17").at(-1) ?? "").matchAll(/:(\d+)/g)].map(([, width]) => Number(width));
const lines = (states: readonly State[]): string =>
  states
    .map(([index, state, status = 0, restarts = 0, node = "", reason = "None"]) =>
      [index, state, status, restarts, node, reason].map((field, at) => String(field).padEnd(widths[at] ?? 0)).join(""),
    )
    .join("\n");

/** A cluster that answers one list of states after the other, and then always the last. */
function cluster(...answers: (readonly State[] | "gone" | "silent")[]) {
  let polls = 0;
  return fakeTool((program) => {
    if (program === "sbatch") return { stdout: "17;cluster\n" };
    if (program === "sacct") return { exitCode: 1, stderr: "Slurm accounting storage is disabled" };
    if (program !== "squeue") return {};
    const answer = answers[Math.min(polls, answers.length - 1)] ?? "gone";
    polls += 1;
    if (answer === "gone") return { exitCode: 1, stderr: "slurm_load_jobs error: Invalid job id specified" };
    if (answer === "silent")
      return { exitCode: 1, stderr: "slurm_load_jobs error: Unable to contact slurm controller" };
    return { stdout: lines(answer) };
  });
}

const run = (tool: ReturnType<typeof cluster>["tool"], context = recordingContext(scratch())) => {
  const executor = slurmExecutor({ ...parseOptions([]), jobs: 2, tool, pace: quick, nodePath: "" });
  return executor.run([pointTask("s-a", at(context)), pointTask("s-b", at(context))], context);
};
const at = ({ folders }: { folders: { runs: string } }) => ({ runDirectory: join(folders.runs, "s", "point") });

describe("a sweep on Slurm", () => {
  it("is submitted once and followed to its end", async () => {
    const { tool, calls } = cluster(
      [
        [0, "RUNNING", 0, 0, "node1"],
        [1, "PENDING", 0, 0, "", "Resources"],
      ],
      [
        [0, "PENDING", 0, 1, "", "BeginTime"],
        [1, "RUNNING", 0, 0, "node2"],
      ],
      [
        [0, "RUNNING", 0, 1, "node2"],
        [1, "FAILED", 256],
      ],
      [[0, "COMPLETED"]],
    );
    const context = recordingContext(scratch());
    const ends = await run(tool, context);
    expect(ends).toEqual([
      { name: "s-b", exitCode: 1, why: null },
      { name: "s-a", exitCode: 0, why: null },
    ]);
    expect(context.told.ends).toEqual(ends);
    expect(context.told.statuses).toEqual([
      "s-a: on node1",
      "s-b: queued (Resources)",
      "s-a: requeued (BeginTime), restart 1",
      "s-b: on node2",
      "s-a: on node2, restart 1",
    ]);
    expect(calls.filter((call) => call.startsWith("sbatch"))).toHaveLength(1);
    expect(calls[0]).toMatch(/--parsable --array=0-1%2 .*array\.sh$/);
  });

  it("that squeue has forgotten is over, and its run folders say the rest", async () => {
    const { tool } = cluster([[0, "COMPLETED"]], "gone");
    expect(await run(tool)).toEqual([
      { name: "s-a", exitCode: 0, why: null },
      { name: "s-b", exitCode: null, why: null },
    ]);
  });

  it("waits for a controller that does not answer", async () => {
    const { tool } = cluster("silent", "silent", [
      [0, "COMPLETED"],
      [1, "COMPLETED"],
    ]);
    const context = recordingContext(scratch());
    expect(await run(tool, context)).toHaveLength(2);
    expect(context.told.notes.filter((note) => note.includes("does not answer"))).toHaveLength(1);
  });

  it("is cancelled task by task: queued ones leave, running ones get a SIGTERM", async () => {
    const stop = new AbortController();
    const { tool, calls } = cluster(
      [
        [0, "RUNNING", 0, 0, "node1"],
        [1, "PENDING"],
      ],
      [[0, "FAILED", 143 * 256]],
    );
    const context = recordingContext(scratch(), stop.signal);
    const running = run(tool, { ...context, status: () => stop.abort() });
    expect(await running).toEqual([
      { name: "s-a", exitCode: 143, why: null },
      { name: "s-b", exitCode: null, why: "slurm: CANCELLED" },
    ]);
    expect(calls.filter((call) => call.startsWith("scancel"))).toEqual([
      "scancel --quiet --state=PENDING 17_0 17_1",
      "scancel --quiet --batch --signal=TERM 17_0 17_1",
    ]);
  });

  it("is cancelled whole when the person asks twice", async () => {
    const { tool, calls } = cluster(
      [
        [0, "RUNNING", 0, 0, "node1"],
        [1, "COMPLETED"],
      ],
      [[0, "CANCELLED"]],
    );
    const executor = slurmExecutor({ ...parseOptions([]), jobs: 2, tool, pace: quick, nodePath: "" });
    const context = recordingContext(scratch());
    const status = (): void => executor.kill?.();
    const tasks = [pointTask("s-a", at(context)), pointTask("s-b", at(context))];
    const ends = await executor.run(tasks, { ...context, status });
    expect(ends.find(({ name }) => name === "s-a")).toEqual({ name: "s-a", exitCode: null, why: "slurm: CANCELLED" });
    expect(calls.filter((call) => call.startsWith("scancel"))).toEqual(["scancel --quiet 17_0 17_1"]);
  });

  it("is not submitted again where an earlier call did", async () => {
    const runs = scratch();
    mkdirSync(join(runs, "s", "slurm"), { recursive: true });
    const record = join(runs, "s", "slurm", "arrays.json");
    writeFileSync(record, JSON.stringify([{ job: "9", points: ["s-x", "s-b", "s-a"] }]));
    // Of job 9 s-b still waits, and s-a is done; so s-a alone is submitted, as the only task of job 17.
    const { tool, calls } = fakeTool((program, args) => {
      if (program === "sbatch") return { stdout: "17\n" };
      if (program !== "squeue") return {};
      if (args.includes("--jobs=17")) return { stdout: lines([[0, "COMPLETED"]]) };
      const polls = calls.filter((call) => call.includes("--jobs=9")).length;
      return {
        stdout: lines([
          [0, "COMPLETED"],
          [1, polls < 3 ? "PENDING" : "COMPLETED"],
          [2, "COMPLETED"],
        ]),
      };
    });
    const context = recordingContext(runs);
    const ends = await run(tool, context);
    expect(ends.map(({ name }) => name).sort()).toEqual(["s-a", "s-b"]);
    expect(calls.filter((call) => call.startsWith("sbatch"))).toEqual([expect.stringContaining("--array=0-0%2")]);
    expect(context.told.notes[0]).toMatch(/^1 of the points .* in job 9/);
    expect(JSON.parse(readFileSync(record, "utf8"))).toEqual([
      { job: "9", points: ["", "s-b", ""] },
      { job: "17", points: ["s-a"] },
    ]);
  });

  const refusals: readonly [what: string, answer: Parameters<typeof fakeTool>[0], code: string, said: RegExp][] = [
    ["no sbatch", () => null, "E540", /no program `sbatch`/],
    ["no account", () => ({ exitCode: 1, stderr: "sbatch: error: Invalid account\n" }), "E541", /sbatch refuses/],
    ["words instead of a number", () => ({ stdout: "hello" }), "E541", /sbatch refuses/],
  ];
  it.each(refusals)("is refused with the reason: %s", async (_, answer, code, said) => {
    const refused = await run(fakeTool(answer).tool).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ExecutorRefused);
    expect(refused).toMatchObject({ problem: { code, what: expect.stringMatching(said) } });
  });

  it("that is too large for an array says what to do", async () => {
    const tool = fakeTool(() => ({ exitCode: 1, stderr: "sbatch: error: Invalid job array specification" })).tool;
    await expect(run(tool)).rejects.toMatchObject({ problem: { hint: expect.stringMatching(/--shard/) } });
  });
});

describe("what follows --", () => {
  it("goes to sbatch as it is", () => {
    const args = ["--partition=gpu", "-t", "1:00:00", "--gres=gpu:1", "--comment=a b"];
    expect(parseOptions(args)).toEqual({ sbatch: args });
  });
  it.each([["--array=0-3"], ["-a0-3"], ["--wrap"], ["--wait"], ["-W"], ["--chdir=/"], ["-D/"]])(
    "is not %s",
    (option) => {
      expect(() => parseOptions(["--time=5", option])).toThrow(ExecutorRefused);
    },
  );
  it.each([["--account=a"], ["-A"], ["--wait-all-nodes=1"], ["-w"]])("may be %s", (option) => {
    expect(parseOptions([option]).sbatch).toEqual([option]);
  });
});
