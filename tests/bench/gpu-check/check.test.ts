/** The check as its package runs it, with small sizes on this processor. */
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Manifest } from "../../../bench/gpu-check/manifest";
import { makePayload } from "../../../bench/gpu-check/payload";
import type { GpuRecord, PartRecord } from "../../../bench/gpu-check/record";
import { FUNCTIONS } from "../../../runtime/engines/xla/pjrt/layout";
import { gpuPage } from "../../../scripts/gpu-page";
import { hasPlugin, plugin } from "../../support/pjrt";

const root = resolve(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "ijepa gpu-check test-"));
const out = join(folder, "gpu.json");
let manifest: Manifest;

beforeAll(async () => {
  mkdirSync(join(folder, "payload"));
  manifest = await makePayload(join(folder, "payload"), { only: ["quickstart"], devices: ["cpu"] });
  chmodSync(join(folder, "payload/bin/node"), 0o755);
  copyFileSync(join(root, "bench/gpu-check/run.sh"), join(folder, "run.sh"));
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true }));

type Variables = Readonly<Record<string, string>>;

function check(flags: readonly string[], variables: Variables = {}) {
  const args = [join(folder, "run.sh"), "--device", "cpu", "--small", "--out", out, ...flags];
  const env = { ...process.env, ...variables };
  const { status, stdout, stderr } = spawnSync("/bin/sh", args, { cwd: folder, encoding: "utf8", env });
  return { status, stdout, stderr };
}

const record = (): GpuRecord => JSON.parse(readFileSync(out, "utf8"));

function partOf(name: string): PartRecord {
  const part = record().parts.find((each) => each.name === name);
  if (part === undefined) throw new Error(`no part ${name} among ${record().parts.map((each) => each.name)}`);
  return part;
}

test("the default engine: its doctor, a training, and a page of it", { timeout: 180_000 }, () => {
  const { status, stderr } = check([
    "--only",
    "doctor,onnx cpu",
    "--minutes",
    "60",
    "--pjrt-plugin",
    join(folder, "absent.so"),
  ]);
  expect({ status, stderr }).toMatchObject({ status: 0 });
  expect(partOf("doctor").result).toMatchObject({
    findings: expect.arrayContaining([expect.objectContaining({ engine: "onnx", device: "cpu", state: "ok" })]),
  });
  expect(partOf("quickstart, 20 steps, onnx cpu fp32")).toMatchObject({ state: "ok", result: { steps: 20 } });
  expect(gpuPage(out)).toMatch(/\| quickstart, 20 steps, onnx cpu fp32 \| ok \| \d+ \| loss 0\.\d+ → 0\.\d+ \|/);
});

test("--resume keeps what ran; what has no time left is not begun, and said to be", { timeout: 60_000 }, () => {
  const before = partOf("quickstart, 20 steps, onnx cpu fp32");
  // A twentieth of a minute: less than a part is begun with.
  expect(check(["--resume", "--only", "doctor,onnx cpu,eager", "--minutes", "0.05"]).status).toBe(0);
  expect(partOf("quickstart, 20 steps, onnx cpu fp32")).toEqual(before);
  expect(partOf("step quickstart, PyTorch eager bf16")).toMatchObject({ state: "not begun", result: null });
});

test("a Python that is not there is absent, not a failure", { timeout: 60_000 }, () => {
  expect(check(["--python", "no-such-python", "--only", "JAX"]).status).toBe(0);
  expect(partOf("step quickstart, JAX bf16")).toMatchObject({ state: "absent" });
  expect(record().machine.python).toEqual({ python: null });
});

test("nowhere to write: no part is begun, and a sentence says so", { timeout: 60_000 }, () => {
  const { status, stderr } = check(["--only", "JAX", "--out", "/proc/gpu.json"]);
  expect({ status, stderr }).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/\/proc\/gpu\.json cannot be written/),
  });
});

test("HOME unset, TMPDIR not there: another folder is taken, and nothing is left in it", { timeout: 300_000 }, () => {
  const { status, stderr } = check(["--only", "onnx cpu", "--minutes", "60"], { HOME: "", TMPDIR: "/no/such/folder" });
  expect({ status, stderr }).toMatchObject({ status: 0 });
});

test.each([[["--minutes", "soon"]], [["--device", "tpu"]], [["--nonsense"]], [["--limit", "0"]]])(
  "%j is refused",
  (flags) => {
    const { status, stderr } = check(flags);
    expect(status).toBe(2);
    expect(stderr).toContain("--pjrt-plugin FILE");
  },
);

/** Minutes of compiling: `npm run test:gpu-check`. */
const isWhole = process.env.IJEPA_INTEGRATION !== undefined;

describe.skipIf(!hasPlugin)(
  `engine xla${hasPlugin ? "" : " (skipped: there is no PJRT plugin for processors)"}`,
  () => {
    const failing = join(folder, "failing.so");
    const source = join(root, "tests/support/xla/failing.c");
    const compiler = spawnSync("cc", ["-shared", "-fPIC", "-O1", "-o", failing, source, "-ldl"], { encoding: "utf8" });
    const { LoadedExecutable_Execute: execute } = FUNCTIONS;
    const plugins = [
      [
        "crashes where it is loaded",
        { FAILING_SLOT: "load", FAILING_HOW: "crash" },
        "failed",
        /without a word|SIGABRT/,
      ],
      [
        "crashes in a step",
        { FAILING_SLOT: String(execute), FAILING_HOW: "crash" },
        "failed",
        /without a word|SIGABRT/,
      ],
      ["hangs where it is loaded", { FAILING_SLOT: "load", FAILING_HOW: "hang" }, "late", /./],
      ["hangs in a step", { FAILING_SLOT: String(execute), FAILING_HOW: "hang" }, "late", /./],
      [
        "has no memory left",
        {
          FAILING_SLOT: String(execute),
          FAILING_TEXT: "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9 bytes.",
        },
        "failed",
        /R117/,
      ],
    ] as const;
    test.skipIf(compiler.status !== 0).each(isWhole ? plugins : plugins.slice(0, 1))(
      "a plugin that %s: the parts after it are there",
      { timeout: 900_000 },
      (_, failure, state, problem) => {
        const before = { FAILING_PLUGIN: plugin.path, FAILING_CALL: "1", FAILING_TEXT: "" };
        // What hangs does so for as long as it may; what does not has ten times what is usual.
        const limits = state === "late" ? ["--limit", "10"] : ["--minutes", "80"];
        const only = "step quickstart, ijepa xla cpu fp32,onnx cpu";
        const { stderr } = check(["--only", only, ...limits, "--pjrt-plugin", failing], { ...before, ...failure });
        expect({ part: partOf("step quickstart, ijepa xla cpu fp32"), stderr }).toMatchObject({
          part: { state, problem: expect.stringMatching(problem) },
        });
        // How far it comes in ten seconds is a matter of the machine.
        const after = partOf("quickstart, 20 steps, onnx cpu fp32");
        expect(after.state === "ok" || (state === "late" && after.seconds > 0)).toBe(true);
      },
    );

    test.skipIf(!isWhole)(
      "a recorded run, a training and a timed step in each precision that there is",
      { timeout: 1_800_000 },
      () => {
        expect(manifest.precisions).toContain("fp32");
        check([
          "--only",
          "trace step_tiny,quickstart",
          "--skip",
          "PyTorch,JAX",
          "--minutes",
          "40",
          "--pjrt-plugin",
          plugin.path,
        ]);
        for (const precision of manifest.precisions) {
          expect(partOf(`step quickstart, ijepa xla cpu ${precision}`)).toMatchObject({ state: "ok" });
          expect(partOf(`quickstart, 20 steps, xla cpu ${precision}`)).toMatchObject({
            state: "ok",
            result: { steps: 20 },
          });
        }
        expect(partOf("trace step_tiny_official_init, xla cpu fp32")).toMatchObject({ result: { holds: true } });
        // Within the tolerances of its own; its turn comes late.
        const { state, result } = partOf("trace step_tiny_official_init, xla cpu bf16");
        if (state === "ok") expect(result).toMatchObject({ holds: true });
      },
    );
  },
);
