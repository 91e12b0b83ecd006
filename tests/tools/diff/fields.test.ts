/** How much a change of one field shows: the lines are kept, so that whatever makes a diff longer is seen. */
import { expect, test } from "vitest";
import { compile } from "../../../compiler/compile";
import type { JsonObject, JsonValue } from "../../../compiler/spec/json";
import { specFromText } from "../../../compiler/spec/load";
import { type CodeDiff, diffCode } from "../../../tools/diff/declarations";
import { changedFields } from "../../../tools/diff/meaning";
import { lines, withField } from "../../compiler/spec/fixture";

const base: JsonObject = {
  image: { size: 64 },
  encoder: { dim: 24, depth: 2, heads: 3, patch: 8 },
  predictor: { dim: 24, depth: 2 },
  // A number of tokens, because "auto" estimates it anew for every spec.
  masking: { minKeep: 4, targets: { scale: [0.2, 0.3] }, context: { tokens: 6 } },
  data: { source: "shapes" },
  optimization: { globalBatch: 16 },
};

function load(document: JsonObject) {
  const loaded = specFromText({ text: JSON.stringify(document), file: "x.json" });
  if (!loaded.ok) throw new Error(lines(loaded).join("\n"));
  return loaded;
}

function compiled(document: JsonObject) {
  const loaded = load(document);
  const spec: JsonObject = JSON.parse(JSON.stringify(loaded.spec));
  return { spec, files: compile(loaded).files.filter(({ name }) => name.endsWith(".ts")) };
}

/** `step 2+ 2-`, by file. */
function linesOf({ changes }: CodeDiff): string {
  const files = [...new Set(changes.map(({ file }) => file))].sort();
  return files
    .map((file) => {
      const own = changes.filter((change) => change.file === file);
      const sum = (key: "added" | "removed") => own.reduce((total, change) => total + change[key], 0);
      return `${file.replace(".ts", "")} +${sum("added")} -${sum("removed")}`;
    })
    .join(", ");
}

const first = compiled(base);

/**
 * A field, its other value, the lines; then the fields whose defaults follow it. Fields that change one constant and
 * nothing else are not here: tests/compiler/fields.test.ts says which one.
 */
const table: readonly (readonly [path: string, value: JsonValue, lines: string, follow?: readonly string[]])[] = [
  ["name", "other", ""],
  ["description", "Another sentence.", "experiment +1 -0"],
  ["loss", "mse", "step +2 -2"],
  ["image.size", 72, "experiment +17 -16, features +1 -1, step +51 -25, trees +1 -1", ["data.sceneSize"]],
  ["encoder.dim", 48, "experiment +1 -1, step +2 -2"],
  ["encoder.depth", 3, "experiment +1 -1, parameters +1 -1, step +1 -1"],
  ["encoder.heads", 2, "experiment +2 -2, step +2 -2", ["predictor.heads"]],
  ["encoder.mlpRatio", 2, "experiment +1 -1, step +1 -1"],
  ["encoder.patch", 4, "experiment +21 -14, parameters +1 -1, step +49 -23"],
  ["encoder.dropPath", 0.1, "experiment +1 -1, step +58 -14, trees +7 -2"],
  ["predictor.dim", 48, "experiment +1 -1, step +2 -2"],
  ["predictor.depth", 1, "experiment +1 -1, parameters +1 -1, step +123 -225"],
  ["predictor.heads", 2, "experiment +1 -1, step +1 -1"],
  ["predictor.mlpRatio", 2, "experiment +1 -1, step +1 -1"],
  ["masking.sampler", "unbiased", "experiment +18 -10"],
  ["masking.targets.count", 2, "experiment +1 -1, main +1 -1, step +56 -30"],
  ["masking.targets.scale", [0.2, 0.25], "experiment +7 -8, step +46 -20"],
  ["masking.targets.aspect", [1, 1.5], "experiment +10 -8"],
  ["masking.context.count", 2, "experiment +1 -1, step +88 -87, trees +2 -2"],
  ["masking.context.tokens", "auto", "experiment +6 -6, main +4 -4, step +45 -38, trees +2 -2"],
  ["targets.space", "pixels", "features +2 -2, parameters +1 -1, step +32 -42"],
  ["targets.normalize", false, "step +4 -5"],
  ["data.trainImages", 4096, "experiment +6 -6"],
  ["optimization.epochs", 100, "experiment +5 -5", ["optimization.learningRate.warmupEpochs"]],
  ["optimization.globalBatch", 32, "experiment +7 -7, step +2 -2"],
  ["optimization.accumulation", 2, "experiment +2 -2, main +14 -5, step +32 -11, trees +1 -1"],
  ["optimization.scheduleScale", 1.25, "experiment +2 -2"],
  ["optimization.adamw.beta2", 0.98, "experiment +1 -1, step +1 -1"],
  ["optimization.clipNorm", 1, "step +6 -4"],
  ["hardware.gpus", 8, "experiment +2 -2, step +7 -4"],
  ["hardware.shardOptimizer", true, "experiment +1 -1"],
  ["init.std", 0.03, "parameters +8 -8", ["init.patchStd"]],
  ["init.depthRescale", true, "parameters +2 -2"],
];

const rows = table.map(([path, value, want, follow = []]) => ({ path, value, want, follow }));

test.each(rows)("$path = $value: $want", ({ path, value, want, follow }) => {
  const second = compiled(withField(base, path, value));
  const fields = changedFields(first.spec, second.spec).map((field) => field.path);
  expect(fields.sort()).toEqual([path, ...follow].sort());
  expect(linesOf(diffCode(first.files, second.files))).toBe(want);
});

test("the same experiment has no difference, whatever its hash", () => {
  const other = compile({ ...load(base), hash: "0".repeat(64) }).files.filter(({ name }) => name.endsWith(".ts"));
  expect(diffCode(first.files, other).changes).toEqual([]);
});

test("there and back are mirror images", () => {
  const second = compiled(withField(base, "predictor.depth", 1));
  const counts = ({ changes }: CodeDiff, back: boolean) =>
    changes
      .map(({ file, name, added, removed }) => [file, name, back ? removed : added, back ? added : removed].join(" "))
      .sort();
  expect(counts(diffCode(first.files, second.files), false)).toEqual(counts(diffCode(second.files, first.files), true));
});
