import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Executor, ExecutorContext, PointTask, TaskEnd } from "../../../../tools/sweep/executors/executor";
import { localExecutor } from "../../../../tools/sweep/executors/local";
import { fakeFolders, fakeSweep, scriptTask } from "../fake";
import { fakeSpec } from "../fake-spec";

function setting(scripts: readonly string[], changes: Partial<ExecutorContext> = {}) {
  const sweep = fakeSweep(scripts.length);
  const folders = fakeFolders();
  const tasks = sweep.points.map((point, index) => scriptTask(sweep, point, folders, scripts[index] ?? ""));
  const ended: TaskEnd[] = [];
  const statuses: string[] = [];
  const stop = new AbortController();
  const context: ExecutorContext = {
    sweep,
    folders,
    note: () => {},
    status: (name, status) => statuses.push(`${name} ${status.replace(/\d+/, "N")}`),
    ended: (end) => ended.push(end),
    stop: stop.signal,
    ...changes,
  };
  const run = (executor: Executor, some: readonly PointTask[] = tasks) => executor.run(some, context);
  const output = (index: number): string => readFileSync(join(tasks[index]?.runDirectory ?? "", "output.log"), "utf8");
  return { tasks, ended, statuses, stop, run, output };
}

/** Resolves when the file is there. */
async function until(path: string): Promise<void> {
  for (let tries = 0; !existsSync(path); tries++) {
    if (tries > 400) throw new Error(`${path} never came`);
    await wait(25);
  }
}

describe("the local executor", () => {
  it("runs points of several ranks one after the other where they fill the machine", async () => {
    const script = 'log({ event: "began" }); setTimeout(() => log({ event: "ended" }), 30)';
    const { tasks, run } = setting([script, script]);
    const log = (task: PointTask | undefined): string => join(task?.runDirectory ?? "", "log.jsonl");
    const ranked = tasks.map((task) => ({
      ...task,
      // Both write to one log, whose order shows whether they ran beside each other.
      command: ["node", "-e", (task.command[2] ?? "").replaceAll(task.runDirectory, tasks[0]?.runDirectory ?? "")],
      point: { ...task.point, spec: fakeSpec(task.point.name, 2, { gpus: 2 }) },
    }));
    await run(localExecutor({ jobs: 2, machine: { cores: 2, cards: null } }), ranked);
    const events = readFileSync(log(tasks[0]), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).event);
    expect(events).toEqual(["began", "ended", "began", "ended"]);
  });

  it("runs every task, whatever becomes of the others, and keeps all that they print", async () => {
    const { run, ended, statuses, output, tasks } = setting([
      'console.log("one"); console.error("and an error")',
      "process.exit(3)",
      'process.kill(process.pid, "SIGKILL")',
      'console.log("NODE_PATH", process.env.NODE_PATH.includes("node_modules"))',
    ]);
    const ends = await run(localExecutor({ jobs: 2 }));
    const byName = (all: readonly TaskEnd[]) => [...all].sort((a, b) => (a.name < b.name ? -1 : 1));
    expect(byName(ends)).toEqual([
      { name: "fake-p0", exitCode: 0, why: null },
      { name: "fake-p1", exitCode: 3, why: null },
      { name: "fake-p2", exitCode: null, why: "killed by SIGKILL" },
      { name: "fake-p3", exitCode: 0, why: null },
    ]);
    expect(byName(ended)).toEqual(byName(ends));
    expect(statuses).toContain("fake-p3 process N");
    expect(output(0)).toMatch(/^\$ node -e [\s\S]*\none\nand an error\n$/);
    expect(output(3)).toContain("NODE_PATH true");
    // Once more: what was printed before stays.
    await run(localExecutor({ jobs: 1 }), tasks.slice(0, 1));
    expect(output(0).match(/^one$/gm)).toHaveLength(2);
  });

  it("says why a task could not start", async () => {
    const { run, tasks } = setting([""]);
    const broken = tasks.map((task) => ({ ...task, command: ["/nowhere/node"] }));
    const [end] = await run(localExecutor({ jobs: 1 }), broken);
    expect(end).toMatchObject({ exitCode: null, why: expect.stringMatching(/^could not start: .*ENOENT/) });
  });

  it("runs no more than it may at a time", async () => {
    const script =
      'const dir = run + "/.."; const me = dir + "/on-" + process.pid; fs.writeFileSync(me, "");' +
      'const on = fs.readdirSync(dir).filter((name) => name.startsWith("on-")).length;' +
      "console.log(`on ${on}`); setTimeout(() => fs.rmSync(me), 150);";
    const { run, output } = setting(Array.from({ length: 5 }, () => script));
    await run(localExecutor({ jobs: 2 }));
    const most = Math.max(...[0, 1, 2, 3, 4].map((index) => Number(/^on (\d)$/m.exec(output(index))?.[1])));
    expect(most).toBeLessThanOrEqual(2);
  });

  const patient =
    "let asked = 0; const keep = setInterval(() => {}, 1000);" +
    "const on = (signal) => { console.log(signal); if (asked++ === 0) setTimeout(() => process.exit(130), 100); };" +
    'process.on("SIGINT", on); process.on("SIGTERM", on); fs.writeFileSync(run + "/ready", "");';

  it.each(["SIGINT", "SIGTERM"] as const)("passes %s on once, waits, and begins nothing more", async (signal) => {
    const { run, ended, stop, output, tasks } = setting([patient, 'console.log("never")']);
    const running = run(localExecutor({ jobs: 1 }));
    await until(join(tasks[0]?.runDirectory ?? "", "ready"));
    stop.abort(signal);
    expect(await running).toEqual([{ name: "fake-p0", exitCode: 130, why: null }]);
    expect(ended).toHaveLength(1);
    expect(output(0).match(/^SIG\w+$/gm)).toEqual([signal]);
    expect(existsSync(join(tasks[1]?.runDirectory ?? "", "output.log"))).toBe(false);
  });

  it("ends at once what does not end by itself", async () => {
    const deaf = 'process.on("SIGINT", () => {}); setInterval(() => {}, 1000); fs.writeFileSync(run + "/ready", "");';
    const { run, stop, tasks } = setting([deaf]);
    const executor = localExecutor({ jobs: 1 });
    const running = run(executor);
    await until(join(tasks[0]?.runDirectory ?? "", "ready"));
    stop.abort("SIGINT");
    await wait(50);
    executor.kill?.();
    expect(await running).toEqual([{ name: "fake-p0", exitCode: null, why: "killed by SIGTERM" }]);
  });

  it("asks the others to end where it fails itself", async () => {
    const ended = (): never => {
      throw new Error("internal: a fault");
    };
    // The second ends when the first is under way.
    const ready = "`${run}/../fake-p0/ready`";
    const second = `const wait = () => fs.existsSync(${ready}) || setTimeout(wait, 20); wait();`;
    const { run, output } = setting([patient, second], { ended });
    await expect(run(localExecutor({ jobs: 2 }))).rejects.toThrow("internal: a fault");
    expect(output(0)).toContain("SIGINT");
  });
});
