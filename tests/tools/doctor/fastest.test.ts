/** The engines of this machine on the step of a spec: which are timed, and what is said of them. */
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { specFromText } from "../../../compiler/spec/load";
import type { Spec } from "../../../compiler/spec/spec";
import { type Speed, speedsOf, speedsText } from "../../../tools/doctor/fastest";
import { base } from "../../support/variations";

function specWith(change: object): Spec {
  const loaded = specFromText({ text: JSON.stringify({ ...base, ...change }), file: "spec.json" });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  return loaded.spec;
}

const only = ({ engine, device }: { readonly engine: string; readonly device: string }): boolean =>
  engine === "onnx" && device === "cpu";

test("a step of accumulated micro-batches is timed as one of them", async () => {
  const spec = specWith({ optimization: { ...base.optimization, accumulation: 2 } });
  const [speed, ...others] = await speedsOf(spec, { folder: tmpdir(), only });
  expect(speed).toMatchObject({ engine: "onnx", device: "cpu", imagesPerS: expect.any(Number) });
  expect(speed?.imagesPerS).toBeGreaterThan(1);
  expect(others).toEqual([]);
}, 60_000);

test("an engine that lacks the precision of the spec takes no part", async () => {
  const spec = specWith({ hardware: { engine: "xla", precision: "bf16" } });
  expect(await speedsOf(spec, { folder: tmpdir(), only })).toEqual([]);
});

const speed = (engine: Speed["engine"], imagesPerS: number): Speed => ({
  engine,
  device: "cpu",
  imagesPerS,
  peakMiB: 100,
});

test.each([
  ["none", [], "No engine on this machine ran the step of small in time."],
  ["one", [speed("onnx", 361.4)], "The fastest engine here for small: onnx cpu, 361 images/s, 100 MiB."],
  [
    "two",
    [speed("onnx", 361.4), speed("xla", 180.7)],
    "The fastest engine here for small: onnx cpu, 361 images/s, 100 MiB.\n" +
      "  0.50 of its speed: xla cpu, 181 images/s, 100 MiB",
  ],
])("%s in words", (_, speeds, want) => {
  expect(speedsText("small", speeds)).toBe(want);
});
