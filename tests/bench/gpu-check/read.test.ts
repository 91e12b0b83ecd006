import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { cardOf } from "../../../bench/gpu-check/cards";
import { killAll, runChild } from "../../../bench/gpu-check/child";
import { cardUse } from "../../../bench/gpu-check/machine";
import type { SizeFacts } from "../../../bench/gpu-check/manifest";
import { jsonIn, lastWords, runResult, stateOf, stepResult, traceResult } from "../../../bench/gpu-check/read";
import { gpuPage } from "../../../scripts/gpu-page";

const folder = mkdtempSync(join(tmpdir(), "ijepa-gpu-read-"));
afterAll(() => rmSync(folder, { recursive: true }));

const size: SizeFacts = {
  name: "s",
  title: "S",
  isSmall: false,
  batch: 128,
  contextTokens: 71,
  targetTokens: 42,
  flopsPerStep: 98.94e12,
  parameters: 1,
  memoryEstimateBytes: 1,
  peer: [],
};

describe("what programs print", () => {
  const texts: readonly [what: string, text: string, want: unknown][] = [
    ["a document", '{\n"a": 1\n}\n', { a: 1 }],
    ["a line among others", 'warning: {no\n{"a": 1}\n{"a": 2}\nbye', { a: 2 }],
    ["nothing", "warning\n", undefined],
    ["a line that was cut", '{"a": 1}\n{"a": ', { a: 1 }],
  ];
  test.each(texts)("%s", (_, text, want) => {
    expect(jsonIn(text)).toEqual(want);
  });

  test("a step: queued steps are what counts, against the peak of the card", () => {
    const timed = { seconds_median: 0.3, seconds_min: 0.25, seconds_max: 0.4, seconds_queued: 0.2, torch: "2.11.0" };
    expect(stepResult({ ...timed, losses: [0.5, 0.4] }, size, 989.4)).toMatchObject({
      imagesPerS: 640,
      stepMs: { median: 300, min: 250, max: 400 },
      teraflops: expect.closeTo(494.7),
      shareOfPeak: expect.closeTo(0.5),
      lastLoss: 0.4,
      with: "PyTorch 2.11.0",
    });
    expect(stepResult({ ...timed, seconds_queued: null }, size, null)).toMatchObject({ shareOfPeak: null });
    expect(stepResult({ absent: "R105: no plugin" }, size, null)).toBeNull();
  });

  test("a trace: a share that is no number is the worst", () => {
    const group = { tensors: 3, holding: 3, worst: "a", share: 0.2 };
    const groups = [group, { tensors: 2, holding: 0, worst: "b", share: null }];
    expect(traceResult({ engine: "XLA", holds: false, groups })).toMatchObject({
      tensors: 5,
      holding: 3,
      worst: { tensor: "b", share: null },
    });
  });

  test("a run, by its log", () => {
    const step = (n: number): string => JSON.stringify({ event: "step", step: n, loss: 1 / n, timeMs: n });
    writeFileSync(
      join(folder, "log.jsonl"),
      ['{"event":"start","engine":"x"}', ...[1, 2, 3, 4].map(step), '{"ev'].join("\n"),
    );
    expect(runResult(folder)).toMatchObject({ engine: "x", steps: 4, firstLoss: 1, lastLoss: 0.25 });
    expect(runResult(join(folder, "absent"))).toBeNull();
  });

  test.each([
    ["NVIDIA H100 80GB HBM3", 989.4],
    ["NVIDIA H200", 989.4],
    ["NVIDIA H100 PCIe", 756],
    ["NVIDIA A100-SXM4-80GB", 312],
    ["NVIDIA L4", 121],
    ["NVIDIA L40S", 362],
    ["Quadro P400", undefined],
  ])("the peak of %s", (name, want) => {
    expect(cardOf(name)?.bf16Teraflops).toBe(want);
  });

  test("nvidia-smi: the most of each column", () => {
    expect(cardUse("100, 5, 60.5, 300\n900, 99, [N/A], 1980\n9")).toEqual({
      memoryMiB: 900,
      busyPercent: 99,
      watts: 60.5,
      clockMHz: 1980,
    });
    expect(cardUse("")).toBeNull();
  });
});

describe("programs with a time limit", () => {
  const run = (script: string, limitSeconds = 20) =>
    runChild({ command: process.execPath, args: ["-e", script], folder, env: process.env, limitSeconds });

  const states: readonly [what: string, script: string, want: string][] = [
    ["a result", "console.log('{}')", "ok"],
    ["an error", "throw new Error('broken')", "failed"],
    ["a plugin that is not there", "console.log('R105: There is no PJRT plugin'); process.exit(2)", "absent"],
    ["a package of Python", "console.error(\"ModuleNotFoundError: No module named 'jax'\"); process.exit(1)", "absent"],
    [
      "a PyTorch for processors",
      "console.error('AssertionError: Torch not compiled with CUDA enabled'); process.exit(1)",
      "absent",
    ],
    [
      "a JAX without its plugin",
      "console.error(\"RuntimeError: Unable to initialize backend 'cuda': no such backend\"); process.exit(1)",
      "absent",
    ],
  ];
  test.each(states)("%s", async (_, script, want) => {
    const ended = await run(script);
    expect(stateOf(ended, jsonIn(ended.stdout) !== undefined)).toBe(want);
  });

  test("no such program", async () => {
    const ended = await runChild({ command: "no-such-program", args: [], folder, env: {}, limitSeconds: 5 });
    expect(stateOf(ended, false)).toBe("absent");
  });

  test("its last words are without stacks", async () => {
    expect(lastWords(await run("console.error('first'); throw new Error('broken')"))).toMatch(/Error: broken\nNode/);
    expect(lastWords(await run(""))).toBe("It ended with 0, without a word.");
  });

  test("one that is late ends with all that it started", async () => {
    const child = "setInterval(() => {}, 1000)";
    const script =
      `const c = require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(child)}]);` +
      "console.log(c.pid); setInterval(() => {}, 1000)";
    const ended = await run(script, 3);
    expect(ended).toMatchObject({ late: true, code: null });
    const pid = Number(ended.stdout);
    expect(pid).toBeGreaterThan(0);
    await expect.poll(() => isAlive(pid), { timeout: 5000 }).toBe(false);
    killAll();
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("the page without a run says so", () => {
  expect(gpuPage(join(folder, "absent.json"))).toContain("There was none yet");
});
