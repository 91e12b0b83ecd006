import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { lockName, lockOwner, lockRun } from "../../../runtime/loop/lock";

const folder = (): string => mkdtempSync(join(tmpdir(), "ijepa-lock-"));
const processOfThePast = (): number => spawnSync(process.execPath, ["-e", ""]).pid;
const parent = process.ppid;
const beganOf = (pid: number): string | null => {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return null;
  const stat = readFileSync(path, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
};

describe("the lock of a run folder", () => {
  it("is there while it is held, and gone after", () => {
    const directory = folder();
    const lock = lockRun(directory);
    expect(JSON.parse(readFileSync(join(directory, lockName), "utf8"))).toMatchObject({ pid: process.pid });
    lock.release();
    expect(existsSync(join(directory, lockName))).toBe(false);
  });

  it("clears away what a killed trainer had begun to write, and nothing else", () => {
    const directory = folder();
    const dead = JSON.stringify({ pid: processOfThePast(), host: hostname(), began: null });
    const living = JSON.stringify({ pid: parent, host: hostname(), began: beganOf(parent) });
    const kept = ["tiny-latest.safetensors", "log.jsonl", `${lockName}.7.tmp`, "notes.tmp"];
    const gone = [".tiny-latest.safetensors.0a1b2c3d.tmp", ".log.csv.00000000.tmp", `${lockName}.8.tmp`];
    for (const name of [...kept, ...gone]) writeFileSync(join(directory, name), name.includes(".7.") ? living : dead);
    const lock = lockRun(directory);
    lock.release();
    expect(readdirSync(directory).sort()).toEqual([...kept].sort());
  });

  const old = new Date(Date.now() - 3_600_000);
  const cases: readonly [what: string, content: () => string, touched: Date | null, refuses: boolean][] = [
    [
      "a process that runs",
      () => JSON.stringify({ pid: parent, host: hostname(), began: beganOf(parent) }),
      null,
      true,
    ],
    [
      "a process that ended",
      () => JSON.stringify({ pid: processOfThePast(), host: hostname(), began: null }),
      null,
      false,
    ],
    [
      "an earlier process with the number of one that runs",
      () => JSON.stringify({ pid: parent, host: hostname(), began: "1" }),
      null,
      beganOf(parent) === null,
    ],
    [
      "an earlier process with our own number",
      () => JSON.stringify({ pid: process.pid, host: hostname(), began: "1" }),
      null,
      false,
    ],
    ["another machine, just now", () => JSON.stringify({ pid: 1, host: "elsewhere", began: null }), null, true],
    ["another machine, an hour ago", () => JSON.stringify({ pid: 1, host: "elsewhere", began: null }), old, false],
    ["nobody knows whom, just now", () => "what is this", null, true],
    ["nobody: an empty file, just now", () => "", null, true],
    ["nobody knows whom, an hour ago", () => "what is this", old, false],
  ];
  it.each(["", "{"])("that says nothing (%j) is said to say nothing", (content) => {
    const directory = folder();
    writeFileSync(join(directory, lockName), content);
    expect(() => lockRun(directory)).toThrow(
      /lock\.json, .* does not say which\)\. .* delete lock\.json if there is none/,
    );
  });

  it.each(cases)("of %s", (_, content, touched, refuses) => {
    const directory = folder();
    const path = join(directory, lockName);
    writeFileSync(path, content());
    if (touched !== null) utimesSync(path, touched, touched);
    if (refuses) {
      expect(() => lockRun(directory)).toThrow(/is in use by another trainer/);
      expect(readFileSync(path, "utf8")).not.toContain(`"pid":${process.pid},`);
      return;
    }
    const lock = lockRun(directory);
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ pid: process.pid });
    lock.release();
  });

  it("does not take away the lock of a trainer that took over", () => {
    const directory = folder();
    const lock = lockRun(directory);
    writeFileSync(join(directory, lockName), "another's");
    lock.release();
    expect(existsSync(join(directory, lockName))).toBe(true);
  });
});

describe("the lock of a Slurm job", () => {
  afterEach(() => vi.unstubAllEnvs());
  const task = { SLURM_CLUSTER_NAME: "c", SLURM_JOB_ID: "18", SLURM_ARRAY_JOB_ID: "17", SLURM_ARRAY_TASK_ID: "1" };
  const begin = (variables: Readonly<Record<string, string>>): void => {
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  };
  const elsewhere = (slurm: unknown): string => JSON.stringify({ pid: 1, host: "elsewhere", began: null, slurm });

  const cases: readonly [what: string, now: Readonly<Record<string, string>>, before: unknown, refuses: boolean][] = [
    ["the same task, begun anew", { ...task, SLURM_RESTART_COUNT: "1" }, { job: "c/17_1", restarts: 0 }, false],
    ["the same task, never begun anew", task, { job: "c/17_1", restarts: 0 }, true],
    ["a later start of the same task", { ...task, SLURM_RESTART_COUNT: "1" }, { job: "c/17_1", restarts: 2 }, true],
    ["another task of the array", { ...task, SLURM_RESTART_COUNT: "1" }, { job: "c/17_2", restarts: 0 }, true],
    [
      "the same numbers on another cluster",
      { ...task, SLURM_RESTART_COUNT: "1" },
      { job: "d/17_1", restarts: 0 },
      true,
    ],
    ["a job without an array", { SLURM_JOB_ID: "18", SLURM_RESTART_COUNT: "3" }, { job: "/18", restarts: 2 }, false],
    ["no Slurm job", { ...task, SLURM_RESTART_COUNT: "1" }, null, true],
    ["what is no record of a job", { ...task, SLURM_RESTART_COUNT: "1" }, { job: 17, restarts: 0 }, true],
  ];
  it.each(cases)("on another machine, of %s", (_, now, before, refuses) => {
    const directory = folder();
    begin(now);
    writeFileSync(join(directory, lockName), elsewhere(before));
    if (refuses) {
      expect(() => lockRun(directory)).toThrow(/is in use by another trainer \(process 1 on elsewhere\)/);
      return;
    }
    lockRun(directory).release();
  });

  it("says which job it is, and how often that was begun", () => {
    const directory = folder();
    begin({ ...task, SLURM_RESTART_COUNT: "2" });
    const lock = lockRun(directory);
    expect(lockOwner(directory)).toMatchObject({ pid: process.pid, slurm: { job: "c/17_1", restarts: 2 } });
    lock.release();
  });
});
