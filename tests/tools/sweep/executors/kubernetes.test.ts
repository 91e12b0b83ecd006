import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CommanderError } from "commander";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { SpecInput } from "../../../../compiler/spec/input";
import type { PointTask } from "../../../../tools/sweep/executors/executor";
import { kubernetesExecutor, parseOptions } from "../../../../tools/sweep/executors/kubernetes";
import { ExecutorRefused } from "../../../../tools/sweep/executors/refused";
import { fakePoint } from "../fake";
import { fakeSpec } from "../fake-spec";
import { fakeTool, pointTask, quick, recordingContext, scratch } from "./support";

const given = ["--image", "node:22", "--claim", "disk"];
const run = (
  args: readonly string[],
  tool: ReturnType<typeof fakeTool>["tool"],
  context = recordingContext(scratch()),
  tasks: readonly PointTask[] = [pointTask("s-a"), pointTask("s-b")],
) =>
  kubernetesExecutor({
    ...parseOptions(args),
    jobs: null,
    tool,
    pace: quick,
    nowMs: () => 0,
    workingDirectory: "/",
  }).run(tasks, context);

const onHardware = (hardware: SpecInput["hardware"]): readonly PointTask[] => [
  pointTask("s-a", { point: fakePoint(0, { name: "s-a", spec: fakeSpec("s-a", 2, hardware) }) }),
];

const conditions = [{ type: "Complete", status: "True" }];
const pods = (...phases: readonly string[]) => ({
  items: phases.map((phase, index) => ({
    metadata: { annotations: { "batch.kubernetes.io/job-completion-index": String(index) } },
    spec: { nodeName: "node" },
    status: { phase },
  })),
});

/** A cluster that shows one status of the Job after the other. */
function cluster(...statuses: readonly object[]) {
  let polls = 0;
  return fakeTool((_, [verb, what]) => {
    if (verb !== "get") return {};
    if (what === "pods") return { stdout: JSON.stringify(pods("Running", "Pending")) };
    const status = statuses[Math.min(polls, statuses.length - 1)];
    polls += 1;
    return { stdout: JSON.stringify({ status }) };
  });
}

describe("a sweep on Kubernetes", () => {
  it("is only written, and says how it is handed over, unless it is to be applied", async () => {
    const { tool, calls } = fakeTool(() => ({}));
    const context = recordingContext(scratch());
    expect(await run(given, tool, context)).toEqual([]);
    expect(calls).toEqual([]);
    const file = join(context.folders.runs, "s/kubernetes/job.yaml");
    expect(parse(readFileSync(file, "utf8"))).toMatchObject({ kind: "Job", spec: { completions: 2 } });
    expect(context.told.notes.join()).toContain(`kubectl apply --filename ${file}`);
    expect(existsSync(join(context.folders.runs, "s/kubernetes/tasks/s-b.json"))).toBe(true);
  });

  it.each<[hardware: SpecInput["hardware"], options: readonly string[], resources: object]>([
    [{}, [], { requests: {}, limits: {} }],
    [{ gpus: 4, threads: 2 }, [], { requests: { cpu: "8" }, limits: {} }],
    [{ gpus: 4, threads: 2 }, ["--cpu", "16"], { requests: { cpu: "16" }, limits: {} }],
    [{ engine: "xla", device: "gpu" }, [], { requests: { "nvidia.com/gpu": 1 }, limits: { "nvidia.com/gpu": 1 } }],
    [{ engine: "xla", device: "gpu" }, ["--gpus", "8"], { limits: { "nvidia.com/gpu": 8 } }],
    [{ engine: "xla", device: "tpu" }, [], { limits: { "google.com/tpu": 1 } }],
    [{ engine: "tfjs", device: "wasm" }, [], { requests: {}, limits: {} }],
  ])("asks for what %o wants, with the options %o", async (hardware, options, resources) => {
    const context = recordingContext(scratch());
    await run([...given, ...options], fakeTool(() => ({})).tool, context, onHardware(hardware));
    const { spec } = parse(readFileSync(join(context.folders.runs, "s/kubernetes/job.yaml"), "utf8"));
    expect(spec.template.spec.containers[0].resources).toMatchObject(resources);
  });

  const cards = (gpus: number): SpecInput["hardware"] => ({ engine: "xla", device: "gpu", gpus });
  const named = (name: string, hardware: SpecInput["hardware"]): PointTask =>
    pointTask(name, { point: fakePoint(0, { name, spec: fakeSpec(name, 2, hardware) }) });

  it("is an Indexed Job of several pods for each point where a pod has a part of its GPUs, and is followed by point", async () => {
    const { tool, calls } = fakeTool((_, [verb, what]) => {
      if (verb !== "get") return {};
      if (what === "pods") return { stdout: JSON.stringify(pods("Running", "Running")) };
      return { stdout: JSON.stringify({ status: { completedIndexes: "0-3", failedIndexes: "4-7" } }) };
    });
    const context = recordingContext(scratch());
    const tasks = [named("s-a", cards(8)), named("s-b", cards(8))];
    const ends = await run([...given, "--gpus", "2", "--apply"], tool, context, tasks);
    const { spec } = parse(readFileSync(join(context.folders.runs, "s/kubernetes/job.yaml"), "utf8"));
    expect(spec).toMatchObject({ completionMode: "Indexed", completions: 8, parallelism: 4 });
    expect(spec.template.spec.containers[0]).toMatchObject({
      args: ["s-a", "s-b"],
      env: [{ name: "IJEPA_RANKS", value: "4" }],
      resources: { limits: { "nvidia.com/gpu": 2 } },
    });
    expect(ends).toEqual([
      { name: "s-a", exitCode: 0, why: null },
      { name: "s-b", exitCode: null, why: "kubernetes: failed" },
    ]);
    expect(calls).toHaveLength(3);
  });

  it.each<[what: string, tasks: readonly PointTask[], gpus: string, says: string, hint: string]>([
    [
      "its engine meets through MPI",
      [named("s-a", { gpus: 4 }), named("s-b", cards(4))],
      "2",
      "s-a wants 4 GPUs",
      "MPIJob",
    ],
    ["another engine has the GPU", onHardware({ device: "webgpu" }), "0", "s-a wants 1 GPUs (hardware.gpus)", "MPIJob"],
    ["they do not divide", [named("s-a", cards(8))], "3", "s-a wants 8 GPUs", "equally many"],
    ["it would have none", [named("s-a", cards(8))], "0", "s-a wants 8 GPUs", "equally many"],
    ["points differ", [named("s-a", cards(4)), named("s-b", cards(8))], "4", "s-b wants 8 GPUs", "the same number"],
  ])("is refused where a pod would have fewer GPUs than its point wants and %s", async (_, tasks, gpus, says, hint) => {
    const refused = run([...given, "--gpus", gpus], fakeTool(() => ({})).tool, undefined, tasks);
    await expect(refused).rejects.toMatchObject({
      problem: { code: "E546", what: expect.stringContaining(says), hint: expect.stringContaining(hint) },
    });
  });

  it("is applied and followed", async () => {
    const { tool, calls } = cluster({}, { completedIndexes: "0" }, { completedIndexes: "0", failedIndexes: "1" });
    const context = recordingContext(scratch());
    const ends = await run([...given, "--namespace", "lab", "--apply"], tool, context);
    expect(ends).toEqual([
      { name: "s-a", exitCode: 0, why: null },
      { name: "s-b", exitCode: null, why: "kubernetes: failed" },
    ]);
    expect(context.told.ends).toEqual(ends);
    expect(context.told.statuses).toEqual(["s-a: on node", "s-b: pending"]);
    expect(calls[0]).toMatch(/^kubectl apply --filename .*job\.yaml$/);
    expect(calls[1]).toBe("kubectl get job s-0 --namespace lab --output json");
  });

  it("is deleted when the person stops it", async () => {
    const stop = new AbortController();
    let deleted = false;
    const { tool, calls } = fakeTool((_, [verb, what]) => {
      if (verb === "delete") deleted = true;
      if (deleted) return { exitCode: 1, stderr: 'Error from server (NotFound): jobs.batch "s-0" not found' };
      return { stdout: JSON.stringify(what === "pods" ? pods("Running") : { status: {} }) };
    });
    const context = recordingContext(scratch(), stop.signal);
    const ends = await run([...given, "--apply"], tool, { ...context, status: () => stop.abort() });
    expect(ends.map(({ why }) => why)).toEqual(["kubernetes: the Job was deleted", "kubernetes: the Job was deleted"]);
    expect(calls).toContain("kubectl delete job s-0 --cascade=foreground --wait=true");
  });

  it("is not submitted again where the Job of an earlier call still goes on", async () => {
    const context = recordingContext(scratch());
    const first = cluster({ completedIndexes: "0", conditions });
    await run([...given, "--apply"], first.tool, context);
    const second = cluster({ completedIndexes: "0" }, { completedIndexes: "0,1" });
    const ends = await run([...given, "--apply"], second.tool, context);
    // Its first point was done before: a call that wants it again submits that alone.
    expect(ends.map(({ name }) => name).sort()).toEqual(["s-a", "s-b"]);
    expect(second.calls.filter((call) => call.startsWith("kubectl apply"))).toHaveLength(1);
    const yaml = readFileSync(join(context.folders.runs, "s/kubernetes/job.yaml"), "utf8");
    expect(parse(yaml)).toMatchObject({ spec: { completions: 1 } });
  });

  it("ends where the Job does, whatever became of a point", async () => {
    const over = [{ type: "Failed", status: "True", reason: "DeadlineExceeded" }];
    const ends = await run([...given, "--apply"], cluster({ conditions: over }).tool);
    expect(ends.map(({ why }) => why)).toEqual(["kubernetes: DeadlineExceeded", "kubernetes: DeadlineExceeded"]);
  });

  const refusals: readonly [what: string, answer: Parameters<typeof fakeTool>[0], code: string][] = [
    ["there is no kubectl", () => null, "E540"],
    ["the cluster says no", () => ({ exitCode: 1, stderr: 'namespaces "lab" not found' }), "E541"],
  ];
  it.each(refusals)("is refused where %s", async (_, answer, code) => {
    await expect(run([...given, "--apply"], fakeTool(answer).tool)).rejects.toMatchObject({ problem: { code } });
  });
});

describe("what follows --", () => {
  it("names image and claim, and what a pod needs", () => {
    expect(parseOptions([...given, "--cpu", "500m", "--memory", "8Gi", "--gpus", "2", "--apply"])).toEqual({
      image: "node:22",
      claim: "disk",
      namespace: null,
      cpu: "500m",
      memory: "8Gi",
      gpus: 2,
      apply: true,
    });
  });

  it.each([
    [[], "`--image` and `--claim`"],
    [["--image", "x"], "needs `--claim`"],
  ])("%j is not enough", (args, said) => {
    const refused = expect.objectContaining({ code: "E542", what: expect.stringContaining(said) });
    expect(() => parseOptions(args)).toThrow(ExecutorRefused);
    try {
      parseOptions(args);
    } catch (error) {
      expect(error).toMatchObject({ problem: refused });
    }
  });

  it.each([
    [["--cpu", "many"]],
    [["--cpu", "8Gi"]],
    [["--memory", "500m"]],
    [["--claim", "A b"]],
    [["--gpus", "-1"]],
    [["--unknown"]],
    [["word"]],
  ])("%j is wrong", (args) => {
    expect(() => parseOptions([...given, ...args])).toThrow(CommanderError);
  });
});
