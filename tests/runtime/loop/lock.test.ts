import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { lockName, lockRun } from "../../../runtime/loop/lock";

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
    ["nobody knows whom, an hour ago", () => "what is this", old, false],
  ];
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
