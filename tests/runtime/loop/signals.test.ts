import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const child = fileURLToPath(new URL("signal-child.ts", import.meta.url));
const folder = (): string => mkdtempSync(join(tmpdir(), "ijepa-signal-"));
const latest = "tiny-latest.safetensors";

interface Ended {
  readonly code: number | null;
  readonly text: string;
}

/** Starts a trainer; `act` is called once it has printed that it is at `step`. */
async function trainer(
  directory: string,
  options: { readonly stepMs: number; readonly args?: readonly string[]; readonly step?: number },
  act: (process: ChildProcess) => Promise<void> | void = () => {},
): Promise<Ended> {
  const args = ["--import", "tsx", child, "--run-dir", directory, "--log-every", "1", ...(options.args ?? [])];
  const started = spawn(process.execPath, args, { env: { ...process.env, STEP_MS: String(options.stepMs) } });
  let text = "";
  let acted = false;
  started.stderr.on("data", (chunk) => {
    text += String(chunk);
  });
  started.stdout.on("data", (chunk) => {
    text += String(chunk);
    if (acted || !text.includes(`step ${options.step ?? 3}/10`)) return;
    acted = true;
    void act(started);
  });
  const code = await new Promise<number | null>((resolve) => started.on("close", resolve));
  return { code, text };
}

describe("a trainer that is told to stop", () => {
  const cases: readonly [signal: "SIGINT" | "SIGTERM", code: number][] = [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ];
  it.each(cases)("by %s ends its step, saves it, says how to go on, and goes on exactly", async (signal, code) => {
    const [whole, stopped] = [folder(), folder()];
    const ended = await trainer(stopped, { stepMs: 100 }, (process) => void process.kill(signal));
    expect(ended.code).toBe(code);
    expect(ended.text).toContain(`${signal}: stopping after this step.`);
    expect(ended.text).toMatch(/Stopped after step \d of 10\. Saved in .*\nTo go on:\n {2}node .* --resume/);
    expect(existsSync(join(stopped, "lock.json"))).toBe(false);
    const lastEvent = JSON.parse(readFileSync(join(stopped, "log.jsonl"), "utf8").trimEnd().split("\n").at(-1) ?? "");
    expect(lastEvent).toMatchObject({ event: "end", reason: signal });

    expect((await trainer(stopped, { stepMs: 0, args: ["--resume"] })).code).toBe(0);
    expect((await trainer(whole, { stepMs: 0 })).code).toBe(0);
    expect(readFileSync(join(stopped, latest)).equals(readFileSync(join(whole, latest)))).toBe(true);
  });

  it("twice ends at once, and the files are as they were", async () => {
    const directory = folder();
    const ended = await trainer(directory, { stepMs: 1000, step: 1 }, async (process) => {
      process.kill("SIGINT");
      await wait(400);
      process.kill("SIGINT");
    });
    expect(ended.code).toBe(130);
    expect(ended.text).not.toContain("Stopped after");
    expect(existsSync(join(directory, latest))).toBe(false);
    expect(existsSync(join(directory, "lock.json"))).toBe(false);
  });

  it("takes the doubled signal of `npm run` for one", async () => {
    const ended = await trainer(folder(), { stepMs: 100 }, (process) => {
      process.kill("SIGINT");
      setTimeout(() => process.kill("SIGINT"), 30);
    });
    expect(ended.text).toContain("Stopped after");
  });

  it("leaves nothing that keeps a killed run from going on", async () => {
    const directory = folder();
    const killed = await trainer(directory, { stepMs: 100, step: 7 }, (process) => void process.kill("SIGKILL"));
    expect(killed.code).toBe(null);
    expect(existsSync(join(directory, "lock.json"))).toBe(true);
    const resumed = await trainer(directory, { stepMs: 0, args: ["--resume"] });
    expect(resumed.code).toBe(0);
    expect(resumed.text).toContain("after step 5");
  });

  it("does not start where another trainer runs", async () => {
    const directory = folder();
    let second: Ended | null = null;
    await trainer(directory, { stepMs: 100, step: 1 }, async (process) => {
      second = await trainer(directory, { stepMs: 0 });
      process.kill("SIGTERM");
    });
    expect(second).toMatchObject({ code: 1, text: expect.stringContaining("is in use by another trainer") });
  });
});
