import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
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
  /** Called when the trainer is in the step where it waits. */
  readonly act: (process: ChildProcess) => Promise<void> | void;
}

async function trainer(directory: string, args: readonly string[] = [], hold: Hold | null = null): Promise<Ended> {
  const held = hold === null ? {} : { HOLD: hold.until, HOLD_STEP: String(hold.step ?? 4) };
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

describe("a trainer that is told to stop", () => {
  const cases: readonly [signal: "SIGINT" | "SIGTERM", code: number][] = [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ];
  it.each(cases)("by %s ends its step, saves it, says how to go on, and goes on exactly", async (signal, code) => {
    const [whole, stopped] = [folder(), folder()];
    const ended = await trainer(stopped, [], { until: "signal", act: (process) => void process.kill(signal) });
    expect(ended.code).toBe(code);
    expect(ended.text).toContain(`${signal}: stopping after this step.`);
    expect(ended.text).toMatch(/Stopped after step 4 of 10\. Saved in .*\nTo go on:\n {2}node .* --resume/);
    expect(existsSync(join(stopped, "lock.json"))).toBe(false);
    const lastEvent = JSON.parse(readFileSync(join(stopped, "log.jsonl"), "utf8").trimEnd().split("\n").at(-1) ?? "");
    expect(lastEvent).toMatchObject({ event: "end", step: 4, reason: signal });

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
