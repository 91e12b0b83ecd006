/** `ijepa log push`: what it sends, and what it says where it cannot. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { asMlflow, fakeServer } from "../../runtime/loggers/remote/fake-server";
import { ijepa } from "../../support/command";
import { makeRun, runsFolder } from "../report/made-runs";

const push = (...args: readonly string[]) => ijepa("log", "push", ...args);

describe("ijepa log push", () => {
  it("sends a log once, and what was sent not again", async () => {
    const server = await fakeServer(asMlflow);
    const run = makeRun(runsFolder(), "run", { steps: 20 });
    const first = await push(run, "--mlflow", server.address);
    expect(first).toEqual({ code: 0, out: `${server.address} has the whole log; 21 rows were sent now.\n`, err: "" });
    const second = await push(run, "--mlflow", server.address);
    expect(second).toEqual({ code: 0, out: `${server.address} has the whole log; 0 rows were sent now.\n`, err: "" });
    await server.close();
  });

  it.each([
    ["no server", () => [makeRun(runsFolder(), "run")], 2, /E477 there is no server to send the log to/],
    [
      "no run",
      () => [mkdtempSync(join(tmpdir(), "ijepa-")), "--mlflow", "http://localhost:1"],
      2,
      /E470 there is no run here/,
    ],
    [
      "a token in an address",
      () => [makeRun(runsFolder(), "run"), "--trackio", "http://a:b@localhost"],
      2,
      /it has a user or a password in it/,
    ],
    ["another action", () => ["--mlflow", "http://localhost:1"], 2, /./],
  ] as const)("%s", async (_, args, code, wanted) => {
    const ran = await push(...args());
    expect(ran.err).toMatch(wanted);
    expect(ran.code).toBe(code);
  });

  it("leaves a run under way to its trainer", async () => {
    const run = makeRun(runsFolder(), "run");
    writeFileSync(join(run, "lock.json"), JSON.stringify({ pid: process.pid, host: hostname() }));
    const { code, err } = await push(run, "--mlflow", "http://localhost:1");
    expect([code, err]).toEqual([2, expect.stringMatching(/E478 the run is under way/)]);
  });
});
