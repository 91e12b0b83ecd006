/** A trainer that a person has edited: compile, run and sweep leave it alone, bundle makes it, and its runs are its own. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "ijepa-edited-"));
const spec = {
  image: { size: 32 },
  encoder: { dim: 16, depth: 2, heads: 2, patch: 8 },
  predictor: { dim: 8, depth: 2, heads: 2 },
  masking: { minKeep: 0, targets: { count: 2, scale: [0.2, 0.3] } },
  optimization: { epochs: 1, globalBatch: 4, learningRate: { warmupEpochs: 0 } },
  data: { source: "shapes", trainImages: 16, validationImages: 16, testImages: 16, sceneSize: 32 },
  evaluation: { knn: { neighbours: 3 } },
};
const grid = { base: "small.json", axes: [{ pointer: "/encoder/depth", values: [1, 2] }] };
const step = join(folder, "generated/small/step.ts");

function run(script: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, NODE_PATH: join(root, "node_modules") },
  });
  return { status, stdout, stderr };
}
const ijepa = (...args: readonly string[]) => run(join(root, "bin/ijepa.js"), ...args);
const train = (...args: readonly string[]) => run(join(folder, "generated/small/train.js"), "--no-progress", ...args);
const edit = (from: string, to: string): string => {
  const text = readFileSync(step, "utf8");
  expect(text).toContain(from);
  writeFileSync(step, text.replaceAll(from, to));
  return readFileSync(step, "utf8");
};

beforeAll(() => {
  writeFileSync(join(folder, "small.json"), JSON.stringify(spec));
  writeFileSync(join(folder, "grid.json"), JSON.stringify(grid));
  execFileSync(process.execPath, ["scripts/build.mjs"], { cwd: root });
  expect(ijepa("compile", "small.json").status).toBe(0);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

test("from the edit to a run that goes on, and back", () => {
  const edited = edit("smoothL1", "mse");
  for (const command of ["compile", "run"]) {
    const { status, stdout, stderr } = ijepa(command, "small.json");
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^generated\/small E431 was edited by hand/);
    expect(stderr).toContain("  found  step.ts +2 −2 lines\n");
    expect(stderr).toContain("\n+  const loss = o.mse(predictions, targets);");
    expect(readFileSync(step, "utf8")).toBe(edited);
  }

  const made = ijepa("bundle", "generated/small");
  expect(made).toMatchObject({ status: 0, stderr: "" });
  expect(made.stdout).toMatch(
    /^generated\/small → .*train\.js \(edited by hand: step\.ts; .* code [0-9a-f]{12}\)\nTrain /,
  );

  const begun = train("--steps", "2");
  expect({ ...begun, stdout: "" }).toEqual({ status: 0, stdout: "", stderr: "" });
  expect(begun.stdout).toContain("this trainer was edited by hand");
  const [start = ""] = readFileSync(join(folder, "runs/small/log.jsonl"), "utf8").split("\n");
  expect(JSON.parse(start).editedCode).toMatch(/^[0-9a-f]{64}$/);
  expect(train("--resume", "--steps", "3")).toMatchObject({ status: 0, stderr: "" });

  expect(ijepa("compile", "--check", "small.json").stdout).toContain("generated/small/step.ts: edited by hand\n");
  expect(ijepa("compile", "--force", "small.json")).toMatchObject({ status: 0, stderr: "" });
  const other = train("--resume");
  expect(other.status).toBe(1);
  expect(other.stderr).toMatch(/^R172: .* written by edited code [0-9a-f]{12}, this trainer is code as compiled/);
  expect(readFileSync(join(folder, "runs/small/log.jsonl"), "utf8")).not.toContain('"reason":"failed"');
});

test("an edit that does not type-check leaves the bundle as it was", () => {
  expect(ijepa("compile", "--force", "small.json").status).toBe(0);
  const before = readFileSync(join(folder, "generated/small/train.js"));
  edit("o.smoothL1(", "o.smoothL2(");
  const { status, stdout, stderr } = ijepa("bundle", "generated/small");
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toMatch(
    /^generated\/small\/step\.ts:\d+:18 E433 .*smoothL2.*\n.*\n.*\^{8}\n\n1 problem in 1 file\.\n$/,
  );
  expect(readFileSync(join(folder, "generated/small/train.js"))).toEqual(before);
});

test.each(["generated", "nowhere", "small.json"])("bundle %s", (name) => {
  expect(ijepa("bundle", name)).toMatchObject({ status: 2, stdout: "" });
});

test("a sweep trains nothing while the trainer of a point is edited", () => {
  const listed = ijepa("sweep", "grid.json", "--list", "--format", "json");
  const [first] = JSON.parse(listed.stdout).points;
  const point = join(folder, "generated/grid", first.name);
  mkdirSync(point, { recursive: true });
  writeFileSync(join(point, "step.ts"), readFileSync(step));
  const { status, stdout, stderr } = ijepa("sweep", "grid.json", "--no-progress");
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toContain(`generated/grid/${first.name} E431 was edited by hand`);
  expect(stderr).toContain("  found  step.ts\n");
});
