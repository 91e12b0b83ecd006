/** What inspect says of this machine: timed once, kept by the shape of the step, and left alone where it would take long. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { build } from "../../../compiler/build";
import { specFromText } from "../../../compiler/spec/load";
import { ownSpeed } from "../../../tools/doctor/own-speed";
import { base } from "../../support/variations";

const caches = mkdtempSync(join(tmpdir(), "ijepa-own-speed-"));
afterAll(() => rmSync(caches, { recursive: true }));

async function asked(change: object, { fits = true, imagesPerS = 50 }: { fits?: boolean; imagesPerS?: number } = {}) {
  const loaded = specFromText({ text: JSON.stringify({ ...base, ...change }), file: "spec.json" });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  let timed = 0;
  const speed = await ownSpeed(loaded.spec, build(loaded), {
    folder: ".",
    fits,
    timing: () => {
      timed++;
    },
    env: { XDG_CACHE_HOME: caches },
    time: async () => (imagesPerS === 0 ? [] : [{ engine: "onnx", device: "cpu", imagesPerS, peakMiB: 100 }]),
  });
  return { speed, timed };
}

const known = { imagesPerS: 50, day: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) };

test("what takes no time is not timed again, what does is", async () => {
  expect(await asked({})).toEqual({ speed: known, timed: 1 });
  expect(await asked({ seed: 3, optimization: { ...base.optimization, epochs: 9 } }, { imagesPerS: 7 })).toEqual({
    speed: known,
    timed: 0,
  });
  expect(await asked({ encoder: { ...base.encoder, depth: 2 } }, { imagesPerS: 7 })).toEqual({
    speed: { ...known, imagesPerS: 7 },
    timed: 1,
  });
});

test.each<[what: string, change: object, options: { fits?: boolean; imagesPerS?: number }, why: RegExp, timed: number]>(
  [
    ["a step too large for the memory", { encoder: { ...base.encoder, depth: 1 } }, { fits: false }, /memory/, 0],
    ["an engine that does not answer", { loss: "mse" }, { imagesPerS: 0 }, /did no step within 20 s/, 1],
    [
      "a step that takes long",
      { image: { size: 224 }, encoder: { size: "huge" }, optimization: { ...base.optimization, globalBatch: 64 } },
      {},
      /too many to be timed unasked/,
      0,
    ],
  ],
)("%s", async (_, change, options, why, timed) => {
  expect(await asked(change, options)).toEqual({ speed: { why: expect.stringMatching(why) }, timed });
});
