import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { exitCode } from "../../../compiler/diagnostics/catalogue";
import { oneLine } from "../../../compiler/diagnostics/diagnostic";
import { reportForPeople } from "../../../compiler/diagnostics/problem-text";
import type { JsonObject, JsonValue } from "../../../compiler/spec/json";
import { specFromText } from "../../../compiler/spec/load";
import { memoryFinding } from "../../../compiler/spec/warnings";
import { valid, withField } from "./fixture";

const folder = mkdtempSync(join(tmpdir(), "ijepa-warnings-"));
afterAll(() => rmSync(folder, { recursive: true }));
for (const name of ["a.png", "b.bmp", "c.BMP", "d.svg", "e.txt"]) writeFileSync(join(folder, name), "");

function warningsOf(fields: { readonly [path: string]: JsonValue }) {
  let document: JsonObject = valid;
  for (const [path, value] of Object.entries(fields)) document = withField(document, path, value);
  const loaded = specFromText({ text: JSON.stringify(document), file: join(folder, "x.json") });
  if (!loaded.ok) throw new Error(loaded.diagnostics.map(oneLine).join("\n"));
  return loaded.warnings;
}

test.each<[fields: { readonly [path: string]: JsonValue }, ...want: string[]]>([
  [{}],
  [
    { "masking.context.scale": [0.15, 0.2], "masking.allowOverlap": true },
    "W301 masking.context.scale: the context block is no larger than a target block; found at most 36 patches, targets of up to 40; want a context scale above the targets' (released: 0.85 to 1 beside 0.15 to 0.2)",
  ],
  [
    { "encoder.patch": 56, "masking.targets.scale": [0.6, 0.6], "masking.targets.aspect": [1, 1] },
    "W301 masking.context.scale: the context block is no larger than a target block; found at most 9 patches, targets of up to 9; want a context scale above the targets' (released: 0.85 to 1 beside 0.15 to 0.2)",
    "W302 masking.targets.scale: a target block of 3×3 on a grid of 4×4 patches has one place; want a smaller target scale, or smaller patches. The reference sampler never reaches the last row and column; `unbiased` does.",
  ],
  [
    {
      "encoder.patch": 56,
      "masking.targets.scale": [0.6, 0.6],
      "masking.targets.aspect": [1, 1],
      "masking.sampler": "unbiased",
    },
  ],
  [
    { data: { source: "folder", train: ".", images: 1 } },
    `W303 data.train: files in ${folder} are skipped; found 2 .bmp, 1 .svg; want .jpg, .jpeg, .png, .webp, .avif, .gif, .tif or .tiff`,
  ],
])("%j", (fields, ...want) => {
  const found = warningsOf(fields);
  expect(found.map((one) => oneLine({ ...one, file: null }))).toEqual(want);
  // They stop nothing.
  expect(exitCode(found)).toBe(0);
});

test("a warning says that it is one", () => {
  const found = warningsOf({ data: { source: "folder", train: ".", images: 1 } });
  expect(reportForPeople(found, { colour: false })).toMatch(/x\.json:1:\d+ W303 warning: data\.train: files in /);
});

describe("memory", () => {
  const GiB = 2 ** 30;
  const spec = (globalBatch: number, device: "cpu" | "gpu" = "cpu") => ({
    optimization: { globalBatch, accumulation: 1 },
    hardware: { gpus: 1, device },
  });
  test.each<[what: string, given: ReturnType<typeof spec>, machine: number, want: string | null]>([
    ["it fits", spec(96), 64, null],
    ["the memory of a card is not this machine's", spec(96, "gpu"), 16, null],
    ["a divisor of the batch that fits", spec(96), 16, "32 images at a time: optimization.accumulation = 3"],
    ["not even one", spec(96), 2, "a smaller encoder: its weights and what is kept of them alone take 2.00 GiB"],
  ])("%s", (_, given, machine, want) => {
    // 2 GiB of state, and 0.35 GiB for each image.
    const memory = { stateBytes: 2 * GiB, totalBytes: (2 + 0.35 * 96) * GiB };
    expect(memoryFinding(given, memory, machine * GiB)?.problem.want ?? null).toBe(want);
  });

  test.each<[gib: number, want: string]>([
    [
      12,
      "32 images at a time: optimization.accumulation = 3; or hardware.precision = bf16, which takes about 12.0 GiB",
    ],
    [20, "32 images at a time: optimization.accumulation = 3"],
  ])("bfloat16 is named where its %d GiB fit", (gib, want) => {
    const memory = { stateBytes: 2 * GiB, totalBytes: (2 + 0.35 * 96) * GiB };
    const bf16 = { ...memory, totalBytes: gib * GiB };
    expect(memoryFinding(spec(96), memory, 16 * GiB, bf16)?.problem.want).toBe(want);
  });
});
