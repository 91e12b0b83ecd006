import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { CommanderError } from "commander";
import { afterEach, describe, expect, it } from "vitest";
import type { PointTask } from "../../../../tools/sweep/executors/executor";
import { jobRequest, parseOptions, rayExecutor, submissionId } from "../../../../tools/sweep/executors/ray";
import { ExecutorRefused } from "../../../../tools/sweep/executors/refused";
import { pointTask, quick, recordingContext, scratch } from "./support";

interface Job {
  status: string;
  message?: string;
  error_type?: string | null;
  driver_exit_code?: number | null;
}

/**
 * Ray's Jobs API as far as it is used, in the shapes that Ray 2.60.0 was seen to answer. `after` says what a job is at
 * its nth question, from 0.
 */
async function fakeRay(after: (id: string, question: number) => Job) {
  const jobs = new Map<string, { request: Record<string, unknown>; questions: number; stopped: boolean }>();
  const asked: string[] = [];
  let mostAtOnce = 0;
  const stateOf = (id: string): Job => {
    const job = jobs.get(id);
    return job === undefined || job.stopped ? { status: "STOPPED" } : after(id, Math.max(0, job.questions));
  };
  const answer = (response: ServerResponse, status: number, body: unknown): void => {
    response.writeHead(status).end(typeof body === "string" ? body : JSON.stringify(body));
  };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = "", url = "", headers } = request;
    asked.push(`${method} ${url}`);
    // Ray takes what fetch sends for a browser.
    if (method !== "GET" && Object.keys(headers).some((name) => /^(sec-fetch-|origin|referer)/.test(name))) {
      return answer(response, 405, `'${method}' method not allowed for browser traffic.`);
    }
    if (url === "/api/version") return answer(response, 200, { version: "4", ray_version: "2.60.0" });
    if (method === "POST" && url === "/api/jobs/") {
      let text = "";
      for await (const part of request) text += String(part);
      const wanted: Record<string, unknown> = JSON.parse(text);
      const id = String(wanted.submission_id);
      if (wanted.entrypoint_num_gpus === 99) {
        return answer(response, 500, "Traceback (most recent call last):\n  File x\nValueError: no such resource\n");
      }
      if (jobs.has(id)) return answer(response, 400, `ValueError: Job with submission_id ${id} already exists.`);
      jobs.set(id, { request: wanted, questions: -1, stopped: false });
      const going = [...jobs.keys()].filter(
        (name) => !["SUCCEEDED", "FAILED", "STOPPED"].includes(stateOf(name).status),
      );
      mostAtOnce = Math.max(mostAtOnce, going.length);
      return answer(response, 200, { job_id: id, submission_id: id });
    }
    const [, id = "", verb] = /^\/api\/jobs\/([^/]+)(?:\/(\w+))?$/.exec(url) ?? [];
    const job = jobs.get(decodeURIComponent(id));
    if (job === undefined) return answer(response, 404, `Job ${id} does not exist`);
    if (verb === "stop") {
      job.stopped = true;
      return answer(response, 200, { stopped: true });
    }
    job.questions += 1;
    const driver = { driver_agent_http_address: "http://10.0.0.7:52365" };
    return answer(response, 200, { type: "SUBMISSION", submission_id: id, ...driver, ...stateOf(id) });
  };
  const server = createServer((request, response) => void handle(request, response));
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  return { address: `http://127.0.0.1:${port}`, jobs, asked, mostAtOnce: () => mostAtOnce };
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const settings = (address: string, args: readonly string[] = []) => ({
  ...parseOptions(["--address", address, ...args], {}),
  jobs: null,
  pace: quick,
  workingDirectory: "/data/my project",
  nodePath: "/modules",
});
const tasks = [pointTask("s-a"), pointTask("s-b"), pointTask("s-c")];
const succeeded = (question: number): Job => ({
  status: ["PENDING", "RUNNING"][question] ?? "SUCCEEDED",
  driver_exit_code: 0,
});

describe("a sweep on Ray", () => {
  it("is one job for each point, followed to its end", async () => {
    const ray = await fakeRay((_, question) => succeeded(question));
    const context = recordingContext("runs");
    const ends = await rayExecutor(settings(ray.address)).run(tasks, context);
    expect(ends.map(({ name, exitCode }) => [name, exitCode]).sort()).toEqual([
      ["s-a", 0],
      ["s-b", 0],
      ["s-c", 0],
    ]);
    expect(context.told.notes[0]).toBe(`Ray 2.60.0 at ${ray.address}`);
    expect(context.told.statuses.filter((status) => status.startsWith("s-a"))).toEqual([
      "s-a: queued",
      "s-a: on 10.0.0.7",
    ]);
    const [request] = [...ray.jobs.values()].map((job) => job.request);
    expect(request).toEqual({
      entrypoint:
        "cd '/data/my project' && mkdir -p runs/s/s-a && printf '%s\\n' '$ node generated/s/s-a/train.js --run-dir runs/s/s-a " +
        "'\\''--resume=auto'\\'' --threads 1' >>runs/s/s-a/output.log && exec node generated/s/s-a/train.js --run-dir runs/s/s-a " +
        "'--resume=auto' --threads 1 >>runs/s/s-a/output.log 2>&1",
      submission_id: expect.stringMatching(/^s-a-[0-9a-f]{8}-1$/),
      runtime_env: { env_vars: { NODE_PATH: "/modules", RAY_JOB_STOP_WAIT_TIME_S: "120" } },
      metadata: { name: "s-a" },
      entrypoint_num_cpus: 1,
      entrypoint_num_gpus: 0,
    });
  });

  it("has at most so many points at a time", async () => {
    const ray = await fakeRay((_, question) => succeeded(question));
    await rayExecutor({ ...settings(ray.address), jobs: 2 }).run(tasks, recordingContext("runs"));
    expect(ray.mostAtOnce()).toBe(2);
  });

  const failures: readonly [job: Job, exitCode: number | null, why: string | null][] = [
    [{ status: "FAILED", driver_exit_code: 1, message: "Job entrypoint command failed" }, 1, null],
    [{ status: "FAILED", driver_exit_code: null, message: "The node died\nand more" }, null, "ray: The node died"],
    [{ status: "FAILED" }, null, "ray: FAILED"],
    [{ status: "STOPPED", driver_exit_code: null }, null, "ray: STOPPED"],
  ];
  it.each(failures)("a point that ends as %j", async (job, exitCode, why) => {
    const ray = await fakeRay(() => job);
    const ends = await rayExecutor(settings(ray.address)).run([pointTask("s-a")], recordingContext("runs"));
    expect(ends).toEqual([{ name: "s-a", exitCode, why }]);
  });

  it("submits a point anew where an earlier job of it is over, and follows one that goes on", async () => {
    const task = pointTask("s-a");
    const ray = await fakeRay((id, question) =>
      id.endsWith("-1") ? { status: "FAILED", driver_exit_code: 1 } : succeeded(question),
    );
    const run = () => rayExecutor(settings(ray.address)).run([task], recordingContext("runs"));
    expect(await run()).toEqual([{ name: "s-a", exitCode: 1, why: null }]);
    const [second, beside] = await Promise.all([run(), run()]);
    expect([second, beside].flat().map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect([...ray.jobs.keys()].map((id) => id.at(-1))).toEqual(["1", "2"]);
  });

  it("submits again what waited too long for Ray, which has not begun", async () => {
    const ray = await fakeRay((id, question) =>
      id.endsWith("-1") ? { status: "FAILED", error_type: "JOB_SUPERVISOR_ACTOR_START_TIMEOUT" } : succeeded(question),
    );
    const ends = await rayExecutor(settings(ray.address)).run([pointTask("s-a")], recordingContext("runs"));
    expect(ends).toEqual([{ name: "s-a", exitCode: 0, why: null }]);
  });

  it("has as many threads as processors are reserved, or reserves as many as it was said to have", () => {
    const request = (task: PointTask, cpus: number | null) => jobRequest(task, "x", { ...settings("http://x"), cpus });
    const task = pointTask("s-a");
    expect(request(task, 4)).toMatchObject({ entrypoint_num_cpus: 4 });
    expect(request(task, 4).entrypoint).toContain(" --threads 4 ");
    expect(request(task, 0.5).entrypoint).toContain(" --threads 1 ");
    const hardware = { ...task.point.spec.hardware, threads: 8 };
    const spec = { ...task.point.spec, hardware };
    const said = { ...task, point: { ...task.point, spec } };
    expect(request(said, null)).toMatchObject({ entrypoint_num_cpus: 8 });
    expect(request(said, null).entrypoint).not.toContain("--threads");
  });

  it("is left to itself where the person asks twice", async () => {
    // This Ray does not end its job.
    const ray = await fakeRay(() => ({ status: "RUNNING" }));
    const stop = new AbortController();
    const executor = rayExecutor(settings(ray.address));
    const context = {
      ...recordingContext("runs", stop.signal),
      status: () => {
        stop.abort();
        executor.kill?.();
      },
    };
    const ends = await executor.run([pointTask("s-a")], context);
    expect(ends).toEqual([
      { name: "s-a", exitCode: null, why: expect.stringMatching(/^ray: (asked to stop|STOPPED)/) },
    ]);
  });

  it("stops its jobs when the person does, and submits no more", async () => {
    const ray = await fakeRay(() => ({ status: "RUNNING" }));
    const stop = new AbortController();
    const context = { ...recordingContext("runs", stop.signal), status: () => stop.abort() };
    const ends = await rayExecutor({ ...settings(ray.address), jobs: 1 }).run(tasks, context);
    expect(ends).toEqual([{ name: "s-a", exitCode: null, why: "ray: STOPPED" }]);
    expect(ray.asked.filter((line) => line.endsWith("/stop"))).toHaveLength(1);
    expect(ray.jobs.size).toBe(1);
  });

  it("says what Ray said, the last line of its traceback", async () => {
    const ray = await fakeRay(() => ({ status: "RUNNING" }));
    const run = rayExecutor(settings(ray.address, ["--gpus", "99"])).run([pointTask("s-a")], recordingContext("runs"));
    await expect(run).rejects.toMatchObject({ problem: { code: "E541", found: "ValueError: no such resource" } });
  });

  it("says that nobody answers, or somebody else", async () => {
    const server = createServer((_, response) => response.end("<html>"));
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const bound = server.address();
    const port = typeof bound === "object" && bound !== null ? bound.port : 0;
    const run = (address: string) => rayExecutor(settings(address)).run(tasks, recordingContext("runs"));
    await expect(run(`http://127.0.0.1:${port}`)).rejects.toMatchObject({ problem: { code: "E544" } });
    await expect(run("http://127.0.0.1:1")).rejects.toMatchObject({
      problem: { code: "E544", found: expect.stringMatching(/ECONNREFUSED|bad port/) },
    });
  });
});

describe("the line that Ray gives to a shell", () => {
  const names = ["plain", "it's", "a b", "$(touch hit)", "`touch hit`", "a;touch hit", "é\n日", "--x", "*", '"', "\\"];
  it.each(names)("starts the trainer where it belongs, in a folder called %j", (name) => {
    const root = scratch();
    const workingDirectory = join(root, name);
    mkdirSync(workingDirectory);
    writeFileSync(join(workingDirectory, "echo.js"), "console.log(JSON.stringify(process.argv.slice(2)))");
    const runDirectory = join("runs", name);
    const task: PointTask = { ...pointTask("s-a"), command: [process.execPath, "echo.js", name, ""], runDirectory };
    const request = jobRequest(task, "x", { ...settings("http://x"), workingDirectory });
    execFileSync("/bin/sh", ["-c", request.entrypoint], { cwd: "/" });
    const output = readFileSync(join(workingDirectory, runDirectory, "output.log"), "utf8");
    expect(output).toMatch(/^\$ /);
    expect(JSON.parse(output.trimEnd().split("\n").at(-1) ?? "")).toEqual([name, "", "--threads", "1"]);
    expect(execFileSync("find", [root, "-name", "hit"], { encoding: "utf8" })).toBe("");
  });
});

it("numbers the jobs of a point, apart from those of other folders", () => {
  const task = pointTask("s-a");
  expect(submissionId(task, 3, "/a")).toMatch(/^s-a-[0-9a-f]{8}-3$/);
  expect(submissionId(task, 1, "/a")).not.toBe(submissionId(task, 1, "/b"));
  expect(submissionId(task, 1, "/a")).toBe(submissionId({ ...task, runDirectory: "/a/runs/s/s-a" }, 1, "/b"));
});

describe("what follows --", () => {
  const address = "http://head:8265";
  const places: readonly [args: readonly string[], environment: NodeJS.ProcessEnv][] = [
    [["--address", address], { RAY_ADDRESS: "http://other:8265" }],
    [[], { RAY_ADDRESS: address }],
    [[], { RAY_DASHBOARD_ADDRESS: address, RAY_ADDRESS: "ray://head:10001" }],
    [[], { RAY_API_SERVER_ADDRESS: address }],
  ];
  it.each(places)("or stands in the environment says where Ray is: %j %j", (args, environment) => {
    expect(parseOptions(args, environment).address).toBe(address);
  });

  const wrong: readonly [args: readonly string[], environment: NodeJS.ProcessEnv, code: string][] = [
    [[], {}, "E542"],
    [[], { RAY_ADDRESS: "" }, "E542"],
    [[], { RAY_ADDRESS: "head:6379" }, "E545"],
    [[], { RAY_ADDRESS: "auto" }, "E545"],
    [["--address", "ray://head:10001"], {}, "E545"],
  ];
  it.each(wrong)("%j %j is %s", (args, environment, code) => {
    expect(() => parseOptions(args, environment)).toThrow(ExecutorRefused);
    expect(() => parseOptions(args, environment)).toThrow(code);
  });

  it("says what a point reserves", () => {
    const args = ["--address", address, "--cpus", "0.5", "--gpus", "1", "--memory", "8G"];
    const resources = ["--resource", "a100=1", "--resource", "fast=0.5"];
    expect(parseOptions([...args, ...resources], { RAY_JOB_HEADERS: '{"Authorization":"x"}' })).toEqual({
      address,
      headers: { Authorization: "x" },
      cpus: 0.5,
      gpus: 1,
      memory: 8_000_000_000,
      resources: { a100: 1, fast: 0.5 },
    });
  });

  it.each([[["--cpus", "many"]], [["--memory", "8GiB"]], [["--resource", "x"]], [["--nothing"]]])(
    "%j is wrong",
    (args) => {
      expect(() => parseOptions(["--address", address, ...args], {})).toThrow(CommanderError);
    },
  );
});
