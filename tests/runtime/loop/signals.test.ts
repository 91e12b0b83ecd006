import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const child = fileURLToPath(new URL("signal-child.ts", import.meta.url));
const folder = (): string => mkdtempSync(join(tmpdir(), "ijepa-signal-"));
const latest = "tiny-latest.safetensors";

interface Ended {
  readonly code: number;
  readonly text: string;
}

interface Hold {
  readonly until: "signal" | "forever";
  readonly step?: number;
  readonly at?: "engine" | "start" | "end";
  /** Called when the trainer is in the step where it waits. */
  readonly act: (process: ChildProcess) => Promise<void> | void;
}

async function trainer(directory: string, args: readonly string[] = [], hold: Hold | null = null): Promise<Ended> {
  const held = hold === null ? {} : { HOLD: hold.until, HOLD_STEP: String(hold.step ?? 4), HOLD_AT: hold.at };
  const command = ["--import", "tsx", child, "--run-dir", directory, ...args];
  const started = spawn(process.execPath, command, { env: { ...process.env, ...held } });
  let text = "";
  let acted = false;
  started.stderr.on("data", (chunk) => {
    text += String(chunk);
  });
  started.stdout.on("data", (chunk) => {
    text += String(chunk);
    if (acted || !text.includes("holding")) return;
    acted = true;
    void hold?.act(started);
  });
  // As a shell reports it.
  const code = await new Promise<number>((resolve) =>
    started.on("close", (exit, signal) => resolve(exit ?? 128 + (signal === null ? 0 : constants.signals[signal]))),
  );
  return { code, text };
}

const lastEvent = (directory: string): unknown =>
  JSON.parse(readFileSync(join(directory, "log.jsonl"), "utf8").trimEnd().split("\n").at(-1) ?? "");

describe("a trainer that is told to stop", () => {
  const cases: readonly [signal: "SIGINT" | "SIGTERM" | "SIGHUP", code: number][] = [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ];
  it.each(cases)("by %s ends its step, saves it, says how to go on, and goes on exactly", async (signal, code) => {
    const [whole, stopped] = [folder(), folder()];
    const ended = await trainer(stopped, [], { until: "signal", act: (process) => void process.kill(signal) });
    expect(ended.code).toBe(code);
    expect(ended.text).toContain(`${signal}: stopping after this step.`);
    expect(ended.text).toMatch(/Stopped after step 4 of 10\. Saved in .*\nTo go on:\n {2}node .* --resume/);
    expect(existsSync(join(stopped, "lock.json"))).toBe(false);
    expect(lastEvent(stopped)).toMatchObject({ event: "end", step: 4, reason: signal });

    expect((await trainer(stopped, ["--resume"])).code).toBe(0);
    expect((await trainer(whole)).code).toBe(0);
    expect(readFileSync(join(stopped, latest)).equals(readFileSync(join(whole, latest)))).toBe(true);
  });

  it("twice ends at once, and the files are as they were", async () => {
    const directory = folder();
    const ended = await trainer(directory, [], {
      until: "forever",
      act: async (process) => {
        process.kill("SIGINT");
        await wait(500);
        process.kill("SIGTERM");
      },
    });
    expect(ended.code).toBe(143);
    expect(ended.text).not.toContain("Stopped after");
    expect(existsSync(join(directory, latest))).toBe(false);
    expect(existsSync(join(directory, "lock.json"))).toBe(false);
  });

  it("takes the doubled signal of `npm run` for one", async () => {
    const ended = await trainer(folder(), [], {
      until: "signal",
      act: (process) => {
        process.kill("SIGINT");
        process.kill("SIGTERM");
      },
    });
    expect(ended.text).toContain("Stopped after step 4");
  });

  it.each([
    ["start", 0],
    ["end", 10],
  ] as const)("says so in its log where it is told in its %s, with %i steps done", async (at, step) => {
    const directory = folder();
    const ended = await trainer(directory, [], {
      until: "forever",
      at,
      act: (process) => void process.kill("SIGTERM"),
    });
    expect(ended).toMatchObject({ code: 143, text: expect.stringContaining("SIGTERM: ended at once.") });
    expect(lastEvent(directory)).toMatchObject({ event: "end", step, reason: "SIGTERM" });
    expect(existsSync(join(directory, "lock.json"))).toBe(false);
    expect((await trainer(directory, ["--resume", "auto"])).code).toBe(0);
    expect(lastEvent(directory)).toMatchObject({ event: "end", step: 10, reason: "complete" });
  });

  it("in its start leaves the log of another experiment alone", async () => {
    const directory = folder();
    writeFileSync(join(directory, "experiment.json"), '{ "specHash": "of another one" }');
    writeFileSync(join(directory, "log.jsonl"), "theirs\n");
    const act = (process: ChildProcess) => void process.kill("SIGTERM");
    expect((await trainer(directory, [], { until: "forever", at: "engine", act })).code).toBe(143);
    expect(readFileSync(join(directory, "log.jsonl"), "utf8")).toBe("theirs\n");
  });

  it("leaves nothing that keeps a killed run from going on", async () => {
    const directory = folder();
    const act = (process: ChildProcess) => void process.kill("SIGKILL");
    const killed = await trainer(directory, [], { until: "forever", step: 7, act });
    expect(killed.code).toBe(137);
    expect(existsSync(join(directory, "lock.json"))).toBe(true);
    const resumed = await trainer(directory, ["--resume"]);
    expect(resumed.code).toBe(0);
    expect(resumed.text).toContain("after step 5");
  });

  it("does not start where another trainer runs", async () => {
    const directory = folder();
    let second: Ended | null = null;
    await trainer(directory, [], {
      until: "signal",
      act: async (process) => {
        second = await trainer(directory);
        process.kill("SIGTERM");
      },
    });
    expect(second).toMatchObject({ code: 1, text: expect.stringContaining("is in use by another trainer") });
  });
});
