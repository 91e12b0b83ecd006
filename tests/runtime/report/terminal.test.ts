import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openPseudoTerminal } from "../../support/pseudo-terminal";

const child = fileURLToPath(new URL("../loop/signal-child.ts", import.meta.url));
const command = ["--import", "tsx", child];
const folder = (): string => mkdtempSync(join(tmpdir(), "ijepa-terminal-"));

const lastEvent = (directory: string): unknown =>
  JSON.parse(readFileSync(join(directory, "log.jsonl"), "utf8").trimEnd().split("\n").at(-1) ?? "");

interface Streams {
  readonly output: number | "pipe";
  readonly hold?: string;
  readonly begun: (trainer: ChildProcess) => void | Promise<void>;
}

/** Its exit code. */
async function trainOn(directory: string, { output, hold, begun }: Streams): Promise<number | null> {
  const trainer = spawn(process.execPath, [...command, "--run-dir", directory, "--log-every", "1"], {
    stdio: ["ignore", output, output],
    env: { ...process.env, HOLD: hold },
  });
  trainer.stdout?.destroy();
  trainer.stderr?.destroy();
  trainer.once("spawn", () => void begun(trainer));
  return new Promise((resolve) => trainer.once("exit", resolve));
}

async function stepsIn(directory: string, steps: number): Promise<void> {
  const log = join(directory, "log.jsonl");
  const done = (): number => (existsSync(log) ? readFileSync(log, "utf8").split('"event":"step"').length - 1 : 0);
  while (done() < steps) await wait(20);
}

describe.skipIf(process.platform === "win32")("a run goes on, and says nothing, where its output is", () => {
  it("a terminal that is closed in the middle, which sends a SIGHUP too: it saves and stops", async () => {
    const directory = folder();
    const terminal = openPseudoTerminal();
    const begun = async (trainer: ChildProcess): Promise<void> => {
      await stepsIn(directory, 3);
      terminal.close();
      trainer.kill("SIGHUP");
    };
    expect(await trainOn(directory, { output: terminal.stream, hold: "signal", begun })).toBe(129);
    expect(lastEvent(directory)).toMatchObject({ event: "end", reason: "SIGHUP" });
    expect(existsSync(join(directory, "tiny-latest.safetensors"))).toBe(true);
  });

  it.skipIf(!existsSync("/dev/full"))("a file on a full disk", async () => {
    const directory = folder();
    const full = openSync("/dev/full", "w");
    expect(await trainOn(directory, { output: full, begun: () => closeSync(full) })).toBe(0);
    expect(lastEvent(directory)).toMatchObject({ event: "end", reason: "complete" });
  });

  it("a pipe that nobody reads", async () => {
    const directory = folder();
    expect(await trainOn(directory, { output: "pipe", begun: () => {} })).toBe(0);
    expect(lastEvent(directory)).toMatchObject({ event: "end", reason: "complete" });
  });
});

describe.skipIf(process.platform !== "linux")("under nohup", () => {
  /** As GNU's nohup leaves standard input where it was a terminal, and as others do. */
  it.each([
    ["w", true],
    ["r", false],
  ] as const)("/dev/null opened with %j: %s", async (flags, expected) => {
    const script = 'import("./runtime/report/terminal.ts").then((m) => process.stdout.write(String(m.isUnderNohup())))';
    const stdin = openSync("/dev/null", flags);
    const asked = spawn(process.execPath, ["--import", "tsx", "-e", script], { stdio: [stdin, "pipe", "inherit"] });
    let text = "";
    asked.stdout?.on("data", (chunk) => {
      text += String(chunk);
    });
    await new Promise((resolve) => asked.once("close", resolve));
    closeSync(stdin);
    expect(text).toBe(String(expected));
  });
});
