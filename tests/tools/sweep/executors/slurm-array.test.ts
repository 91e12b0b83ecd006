import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import type { SpecInput } from "../../../../compiler/spec/input";
import type { PointTask } from "../../../../tools/sweep/executors/executor";
import { needsOf } from "../../../../tools/sweep/executors/needs";
import { arrayFiles, sbatchArguments } from "../../../../tools/sweep/executors/slurm-array";
import { fakePoint } from "../fake";
import { fakeSpec } from "../fake-spec";
import { pointTask, scratch } from "./support";

/** Prints its arguments as JSON. */
const echo = "console.log(JSON.stringify(process.argv.slice(1)))";

function write(root: string, tasks: readonly PointTask[], folder = "runs/s/slurm"): string {
  const files = arrayFiles({ sweepName: "s", folder, tasks, nodePath: "/a b:/c" });
  for (const { path, text } of [files.script, ...files.tasks]) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  for (const { runDirectory } of tasks) mkdirSync(join(root, runDirectory), { recursive: true });
  return join(root, files.script.path);
}

const inTask = (index: number) => ({
  ...process.env,
  SLURM_ARRAY_TASK_ID: String(index),
  SLURM_JOB_ID: "17",
  SLURMD_NODENAME: "node",
  SLURM_CPUS_ON_NODE: "3",
});

/** What the trainer printed; above it stands its command. */
const printed = (root: string, runDirectory: string): unknown => {
  const [command, ...lines] = readFileSync(join(root, runDirectory, "output.log"), "utf8").split("\n");
  expect(command).toMatch(/^\$ \S*node -e /);
  return JSON.parse(lines.join("\n"));
};

describe("the script of a job array", () => {
  const hostile = ["$(touch hit)", "`touch hit`", "'; touch hit; '", "a\nb", "", "-n", "~", "*", "é 日", '"', "\\"];

  it("gives every task its own words, and reads nothing into them", () => {
    const root = scratch();
    const task = (name: string, words: readonly string[], runDirectory: string): PointTask =>
      pointTask(name, { command: [process.execPath, "-e", echo, "--", ...words], runDirectory });
    const folder = "runs/$(touch hit) 'x\n/slurm";
    const tasks = [task("s-a", ["first"], "runs/s/s-a"), task("s-b", hostile, "runs/it's $(touch hit)\n/s-b")];
    const script = write(root, tasks, folder);
    for (const [index, words] of [["first"], hostile].entries()) {
      const ran = spawnSync("bash", [script], { cwd: root, env: inTask(index), encoding: "utf8" });
      expect(ran.status, ran.stderr).toBe(0);
      expect(printed(root, tasks[index]?.runDirectory ?? "")).toEqual([...words, "--threads", "3"]);
    }
    expect(spawnSync("ls", [root], { encoding: "utf8" }).stdout).toBe("runs\n");
  });

  it("knows the points of its own submission, whatever is submitted later", () => {
    const root = scratch();
    const task = (name: string): PointTask => pointTask(name, { command: [process.execPath, "-e", echo, "--", name] });
    // sbatch takes a copy of the script.
    const copy = join(root, "copy.sh");
    writeFileSync(copy, readFileSync(write(root, [task("s-a"), task("s-b")])));
    write(root, [task("s-b"), task("s-c")]);
    spawnSync("bash", [copy], { cwd: root, env: inTask(0) });
    expect(printed(root, "runs/s/s-a")).toEqual(["s-a", "--threads", "3"]);
  });

  it("leaves the threads alone where somebody said how many", () => {
    const root = scratch();
    const task = pointTask("s-a", { command: [process.execPath, "-e", echo, "--", "--threads", "2"] });
    spawnSync("bash", [write(root, [task])], { cwd: root, env: inTask(0) });
    expect(printed(root, "runs/s/s-a")).toEqual(["--threads", "2"]);
  });

  it("divides the processors among the ranks of a point", () => {
    const root = scratch();
    const spec = fakeSpec("s-a", 2, { gpus: 2 });
    const command = [process.execPath, "-e", echo, "--"];
    const task = pointTask("s-a", { command, point: fakePoint(0, { name: "s-a", spec }) });
    const script = write(root, [task]);
    for (const [processors, threads] of [
      ["5", "2"],
      ["1", "1"],
    ] as const) {
      const ran = spawnSync("bash", [script], { cwd: root, env: { ...inTask(0), SLURM_CPUS_ON_NODE: processors } });
      expect(ran.status, String(ran.stderr)).toBe(0);
      expect(readFileSync(join(root, "runs/s/s-a/output.log"), "utf8")).toContain(`["--threads","${threads}"]`);
    }
  });

  it("is the trainer in the end, which gets its signals and gives its exit code", async () => {
    const root = scratch();
    const program = 'process.on("SIGTERM", () => process.exit(42)); setInterval(() => {}, 1000); console.log("ready")';
    const task = pointTask("s-a", { command: [process.execPath, "-e", program, "--"] });
    const child = spawn("bash", [write(root, [task])], { cwd: root, env: inTask(0), stdio: "ignore" });
    const ended = new Promise((done) => child.on("exit", done));
    const output = join(root, "runs/s/s-a/output.log");
    while (!spawnSync("cat", [output], { encoding: "utf8" }).stdout.includes("\nready\n")) {
      await new Promise((done) => setTimeout(done, 20));
    }
    child.kill("SIGTERM");
    expect(await ended).toBe(42);
  });

  it("ends with an error where the shared folder is not there, or it is no array", () => {
    const root = scratch();
    const script = write(root, [pointTask("s-a")]);
    const elsewhere = spawnSync("bash", [script], { cwd: scratch(), env: inTask(0), encoding: "utf8" });
    expect(elsewhere.status).not.toBe(0);
    expect(elsewhere.stderr).toMatch(/s-a: No such file or directory/);
    const { SLURM_ARRAY_TASK_ID: _, ...environment } = inTask(0);
    const alone = spawnSync("bash", [script], { cwd: root, env: environment, encoding: "utf8" });
    expect(alone.stderr).toMatch(/this script is a job array/);
  });

  it("refuses what can be no name of a point", () => {
    expect(() => write(scratch(), [pointTask("a;b")])).toThrow("internal: a point is called");
    expect(() => write(scratch(), [pointTask("a", { command: ["node", "a\0b"] })])).toThrow("internal: a NUL");
  });
});

describe("the arguments of sbatch", () => {
  const submission = {
    sweepName: "s",
    folder: "runs/s/slurm",
    script: "/x/array.sh",
    tasks: 12,
    jobs: null,
    needs: needsOf(fakeSpec("s-a")),
    extra: [],
  };

  it("ask for one task for each point, that is requeued, appends, and gets a SIGTERM before its time is over", () => {
    expect(sbatchArguments(submission)).toEqual([
      "--job-name=ijepa-s",
      "--requeue",
      "--open-mode=append",
      "--output=runs/s/slurm/%A_%a.log",
      "--signal=B:TERM@60",
      "--parsable",
      "--array=0-11",
      "/x/array.sh",
    ]);
  });

  it.each<[hardware: NonNullable<SpecInput["hardware"]>, extra: readonly string[], ours: readonly string[]]>([
    [{}, [], []],
    [{ threads: 4 }, [], ["--cpus-per-task=4"]],
    [{ threads: 4, gpus: 8 }, [], ["--cpus-per-task=32"]],
    [{ gpus: 8 }, ["--ntasks=1", "--cpus-per-task=16"], []],
    [{ gpus: 8 }, ["-c16"], []],
    [{ engine: "xla", device: "gpu" }, [], ["--gres=gpu:1"]],
    [{ engine: "onnx", device: "webgpu", threads: 2 }, [], ["--cpus-per-task=2", "--gres=gpu:1"]],
    [{ engine: "xla", device: "gpu" }, ["--gpus-per-node=a100:1"], []],
    [{ engine: "xla", device: "gpu" }, ["-G", "2"], []],
    [{ engine: "xla", device: "tpu" }, [], []],
  ])("ask for what %o wants, unless %o says it", (hardware, extra, ours) => {
    const args = sbatchArguments({ ...submission, needs: needsOf(fakeSpec("s-a", 2, hardware)), extra });
    expect(args.slice(args.indexOf("--signal=B:TERM@60") + 1, args.indexOf("--parsable"))).toEqual([...ours, ...extra]);
  });

  it("limit the tasks at a time, let the person prevail, and know that a % is a field", () => {
    const args = sbatchArguments({ ...submission, jobs: 3, extra: ["--signal=B:TERM@300"], folder: "50%/slurm" });
    expect(args).toContain("--array=0-11%3");
    expect(args.indexOf("--signal=B:TERM@300")).toBeGreaterThan(args.indexOf("--signal=B:TERM@60"));
    expect(args).toContain("--output=50%%/slurm/%A_%a.log");
  });
});
