/** What a step of the quickstart sends to a WebGPU device and gets from it, counted: the numbers of docs/engines.md. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { compile } from "../../../../compiler/compile";
import { packageRoot } from "../../../../compiler/emit/package-root";
import { specFromText } from "../../../../compiler/spec/load";
import type { EngineFunction, HostArray } from "../../../../runtime/engines/engine";
import { constantsOf, inputsOf, stepEngineFunctions } from "../../../../runtime/loop/functions";
import { stateSpecs } from "../../../../runtime/loop/state";
import { evaluateTrainer } from "../../../support/generated";
import { webgpuForTests } from "../../../support/webgpu";

const engine = await webgpuForTests();
afterAll(() => engine?.release());

const arrays: { readonly [D in "f32" | "i32" | "u8"]: (length: number) => HostArray } = {
  f32: (length) => new Float32Array(length),
  i32: (length) => new Int32Array(length),
  u8: (length) => new Uint8Array(length),
};

/** Zeros: a patch number 0 is as good as any. */
function zeros({ inputs }: EngineFunction, lengths: Readonly<Record<string, number>>): Map<string, HostArray> {
  return new Map(
    [...inputs].map(([path, { dtype, shape }]) => {
      const sizes = shape.map((size) => (typeof size === "number" ? size : (lengths[size] ?? Number.NaN)));
      return [path, arrays[dtype](sizes.reduce((a, b) => a * b, 1))];
    }),
  );
}

describe.skipIf(engine === null)("a step of the quickstart on WebGPU", () => {
  test("sends its images as bytes, its indices and its scalars, and gets the loss and the gradient norm", {
    timeout: 600_000,
  }, async () => {
    if (engine === null) return;
    const text = readFileSync(join(packageRoot(), "experiments", "quickstart.json"), "utf8");
    const spec = { ...JSON.parse(text), hardware: { engine: "onnx", device: "webgpu" } };
    const loaded = specFromText({ text: JSON.stringify(spec), file: "quickstart.json" });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
    const program = await evaluateTrainer(compile(loaded).files);
    const { microBatch } = stepEngineFunctions(program);
    const [likeliest] = [...(microBatch.programs ?? [])].sort((a, b) => b.probability - a.probability);
    if (likeliest === undefined) throw new Error("a step without programs");
    const { lengths } = likeliest;
    const step = await engine.load(microBatch, engine.createStore(stateSpecs(program.parameters, program.state)));
    const given = zeros(microBatch, lengths);
    for (const [path, values] of inputsOf({ constants: constantsOf(program) })) given.set(path, values);
    await step.run(given, lengths);
    const before = { ...engine.traffic };
    await step.run(given, lengths);
    const toDevice = engine.traffic.toDevice - before.toDevice;
    const fromDevice = engine.traffic.fromDevice - before.fromDevice;
    await step.release();

    const images = 16 * 3 * 64 * 64;
    const page = readFileSync(join(packageRoot(), "docs", "engines.md"), "utf8");
    const said = /quickstart that is ([\d,]+) bytes, of which ([\d,]+) are images, and (\d+) bytes/.exec(page) ?? [];
    expect({ toDevice, images, fromDevice }).toEqual({
      toDevice: Number(said[1]?.replaceAll(",", "")),
      images: Number(said[2]?.replaceAll(",", "")),
      fromDevice: Number(said[3]),
    });
  });
});
