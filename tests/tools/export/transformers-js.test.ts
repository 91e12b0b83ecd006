/**
 * The export in transformers.js, offline. The package is no dependency, since it brings 160 MB of onnxruntime for browsers; it is
 * looked for here and in the folder that `IJEPA_TRANSFORMERS_JS` names (`npm i @huggingface/transformers` there).
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { exportRun } from "../../../tools/export/export";
import { furthest, makeRun } from "../../support/exported";

const places = [process.env.IJEPA_TRANSFORMERS_JS, process.cwd()].filter((place) => place !== undefined);
const found = places.flatMap((place) => {
  try {
    return [createRequire(join(place, "package.json")).resolve("@huggingface/transformers")];
  } catch {
    return [];
  }
})[0];
if (found === undefined) console.log("@huggingface/transformers is not here: that it loads exports is not tested.");

const folder = mkdtempSync(join(tmpdir(), "ijepa-export-js-"));
afterAll(() => rmSync(folder, { recursive: true }));

const script = (module: string): string => `
import { AutoModel, AutoProcessor, RawImage, Tensor, env } from ${JSON.stringify(pathToFileURL(module).href)};
import { readFileSync, writeFileSync } from "node:fs";
env.allowRemoteModels = false;
const [out, pixels, features] = process.argv.slice(2);
const values = new Float32Array(new Uint8Array(readFileSync(pixels)).buffer);
const model = await AutoModel.from_pretrained(out, { dtype: "fp32", local_files_only: true });
const { last_hidden_state } = await model({ pixel_values: new Tensor("float32", values, [values.length / 1728, 3, 24, 24]) });
writeFileSync(features, last_hidden_state.data);
const processor = await AutoProcessor.from_pretrained(out, { local_files_only: true });
const image = await processor(new RawImage(new Uint8ClampedArray(3 * 40 * 30).fill(255), 40, 30, 3));
console.log(JSON.stringify({ model: model.constructor.name, dims: image.pixel_values.dims, white: image.pixel_values.data[0] }));
`;

describe.skipIf(found === undefined)("in transformers.js", () => {
  test("the model gives our patch features, and the processor our pixels", { timeout: 120_000 }, async () => {
    const run = await makeRun(join(folder, "run"));
    const out = join(folder, "out");
    const from = join(folder, "run");
    await exportRun({ from, format: "transformers.js", encoder: "target", precision: "fp32", images: null, out });
    const pixels = run.pixels(3);
    writeFileSync(join(folder, "pixels.bin"), pixels);
    writeFileSync(join(folder, "load.mjs"), script(found ?? ""));
    const args = ["load.mjs", out, "pixels.bin", "features.bin"];
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
    expect(status, stderr).toBe(0);
    const said = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
    expect(said).toEqual({ model: "IJepaModel", dims: [1, 3, 24, 24], white: expect.closeTo((1 - 0.485) / 0.229, 4) });
    const features = new Float32Array(new Uint8Array(readFileSync(join(folder, "features.bin"))).buffer);
    const off = furthest(features, await run.encode(pixels, "target"));
    console.log(`transformers.js: patch features differ by at most ${off.toExponential(1)}`);
    expect(off).toBeLessThan(1e-4);
  });
});
