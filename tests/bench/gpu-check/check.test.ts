/** The check as its package runs it, with small sizes on this processor. */
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Manifest } from "../../../bench/gpu-check/manifest";
import { makePayload } from "../../../bench/gpu-check/payload";
import type { GpuRecord, PartRecord } from "../../../bench/gpu-check/record";
import { gpuPage } from "../../../scripts/gpu-page";

const root = resolve(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "ijepa-gpu-check-test-"));
const out = join(folder, "gpu.json");
let manifest: Manifest;

beforeAll(async () => {
  mkdirSync(join(folder, "payload"));
  manifest = await makePayload(join(folder, "payload"), { only: ["quickstart"], devices: ["cpu"] });
  chmodSync(join(folder, "payload/bin/node"), 0o755);
  copyFileSync(join(root, "bench/gpu-check/run.sh"), join(folder, "run.sh"));
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true }));

function check(...flags: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const args = [join(folder, "run.sh"), "--device", "cpu", "--small", "--out", out, ...flags];
  const { status, stdout, stderr } = spawnSync("/bin/sh", args, { cwd: folder, encoding: "utf8" });
  return { status, stdout, stderr };
}

const record = (): GpuRecord => JSON.parse(readFileSync(out, "utf8"));

function partOf(name: string): PartRecord {
  const part = record().parts.find((each) => each.name === name);
  if (part === undefined) throw new Error(`no part ${name} among ${record().parts.map((each) => each.name)}`);
  return part;
}

test("the default engine: its doctor, a training, and a page of it", { timeout: 180_000 }, () => {
  const { status, stderr } = check("--only", "doctor,onnx cpu", "--pjrt-plugin", join(folder, "absent.so"));
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
  expect(check("--resume", "--only", "doctor,onnx cpu,eager", "--minutes", "0.05").status).toBe(0);
  expect(partOf("quickstart, 20 steps, onnx cpu fp32")).toEqual(before);
  expect(partOf("step quickstart, PyTorch eager bf16")).toMatchObject({ state: "not begun", result: null });
});

test("a Python that is not there is absent, not a failure", { timeout: 60_000 }, () => {
  expect(check("--python", "no-such-python", "--only", "JAX").status).toBe(0);
  expect(partOf("step quickstart, JAX bf16")).toMatchObject({ state: "absent" });
  expect(record().machine.python).toEqual({ python: null });
});

test.each([[["--minutes", "soon"]], [["--device", "tpu"]], [["--nonsense"]]])("%j is refused", (flags) => {
  const { status, stderr } = check(...flags);
  expect(status).toBe(2);
  expect(stderr).toContain("--pjrt-plugin FILE");
});

const plugin = process.env.IJEPA_PJRT_PLUGIN;
const hasPlugin = plugin !== undefined && existsSync(plugin);
describe.skipIf(!hasPlugin)(
  `engine xla${hasPlugin ? "" : " (skipped: IJEPA_PJRT_PLUGIN names no PJRT plugin)"}`,
  () => {
    test("a recorded run, a training and a timed step in each precision that there is", { timeout: 600_000 }, () => {
      expect(manifest.precisions).toContain("fp32");
      check("--only", "trace step_tiny,quickstart", "--skip", "PyTorch,JAX", "--minutes", "9");
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
    });
  },
);
