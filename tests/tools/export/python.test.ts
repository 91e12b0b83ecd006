/**
 * Exports in the libraries that they are for. `IJEPA_PYTHON` names a Python with torch, transformers, timm and safetensors;
 * without it, `python3` of PATH is looked at.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { exportRun } from "../../../tools/export/export";
import { furthest, makeRun } from "../../support/exported";

const python = process.env.IJEPA_PYTHON ?? "python3";
const quiet = { ...process.env, HF_HUB_OFFLINE: "1", TRANSFORMERS_VERBOSITY: "error" };
const has = spawnSync(python, ["-c", "import torch, transformers, timm, safetensors"], { env: quiet }).status === 0;
if (!has)
  console.log("Python's transformers and timm are not here (IJEPA_PYTHON): that they load exports is not tested.");

const folder = mkdtempSync(join(tmpdir(), "ijepa-export-python-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(!has)("in Python", () => {
  test("IJepaModel, timm and AdamW take everything, and give our patch features", { timeout: 300_000 }, async () => {
    const run = await makeRun(join(folder, "run"));
    const common = { from: join(folder, "run"), encoder: "target", precision: "fp32", images: null } as const;
    for (const format of ["hf", "timm", "official"] as const) {
      await exportRun({ ...common, format, out: join(folder, format) });
    }
    const pixels = run.pixels(3);
    writeFileSync(join(folder, "pixels.bin"), pixels);
    const script = new URL("./load.py", import.meta.url).pathname;
    const { stdout, stderr, status } = spawnSync(python, [script, folder, join(folder, "pixels.bin"), "24"], {
      encoding: "utf8",
      env: quiet,
    });
    expect(status, stderr).toBe(0);
    expect(JSON.parse(stdout.trim().split("\n").at(-1) ?? "")).toEqual({
      hf: [],
      timm: [],
      official: [],
      optimizer: [],
      epoch: 1,
    });
    const wanted = await run.encode(pixels, "target");
    for (const name of ["hf", "timm", "official"]) {
      const { buffer, byteOffset, byteLength } = readFileSync(join(folder, `${name}.bin`));
      const off = furthest(new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength)), wanted);
      console.log(`${name}: patch features differ by at most ${off.toExponential(1)}`);
      expect(off).toBeLessThan(1e-4);
    }
  });
});
