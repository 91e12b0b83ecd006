/** `ijepa diff` as a person calls it, in a git repository of its own. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { main } from "../../../commands/main";
import { compile } from "../../../compiler/compile";
import { loadSpec } from "../../../compiler/spec/load";

const spec = {
  image: { size: 32 },
  encoder: { dim: 16, depth: 2, heads: 2, patch: 8 },
  predictor: { dim: 8, depth: 2, heads: 2 },
  masking: { minKeep: 0, targets: { count: 2, scale: [0.2, 0.3] }, context: { tokens: 3 } },
  optimization: { epochs: 1, globalBatch: 4, learningRate: { warmupEpochs: 0 } },
  data: { source: "shapes", trainImages: 16, validationImages: 16, testImages: 16 },
  evaluation: { knn: { neighbours: 3 } },
};
const deeper = { ...spec, encoder: { ...spec.encoder, depth: 3 } };
const home = process.cwd();
const folder = mkdtempSync(join(tmpdir(), "ijepa-diff-"));
const put = (name: string, value: unknown) =>
  writeFileSync(join(folder, name), typeof value === "string" ? value : JSON.stringify(value));
const git = (...args: readonly string[]) =>
  execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...args], { cwd: folder, stdio: "ignore" });

function putTrainer(name: string, from: string) {
  const loaded = loadSpec(join(folder, from));
  if (!loaded.ok) throw new Error(`${from} is not valid`);
  const { files, plan } = compile(loaded);
  mkdirSync(join(folder, "generated", name), { recursive: true });
  mkdirSync(join(folder, "runs", name), { recursive: true });
  for (const file of files) put(`generated/${name}/${file.name}`, file.text);
  put(`runs/${name}/experiment.json`, plan.experiment);
}

beforeAll(() => {
  process.chdir(folder);
  put("small.json", spec);
  put("wrong.json", { ...spec, loss: "smoothL2" });
  mkdirSync("sub");
  put("sub/bytes.json", "{}");
  writeFileSync("sub/bytes.json", Buffer.from([0xff, 0xfe]));
  git("init", "-q");
  git("add", ".");
  git("commit", "-qm", "first");
  git("tag", "v1");
  putTrainer("two", "small.json");
  put("small.json", deeper);
  putTrainer("three", "small.json");
  put("odd:name.json", { ...spec, name: "odd" });
});
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

async function diff(...args: readonly string[]) {
  const out = { stdout: "", stderr: "" };
  const catchInto = (stream: "stdout" | "stderr") =>
    vi.spyOn(process[stream], "write").mockImplementation((text) => {
      out[stream] += String(text);
      return true;
    });
  const spies = [catchInto("stdout"), catchInto("stderr")];
  try {
    return { code: await main(["diff", ...args]), ...out };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

describe("what can be compared", () => {
  test("a revision with the file of today", async () => {
    const { code, stdout, stderr } = await diff("v1:small.json", "small.json", "--stat");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^--- v1:small\.json\n\+\+\+ small\.json\n\nWhat it means\n {2}encoder\.depth {2}2 → 3\n\n/);
    expect(stdout).toMatch(/\n {2}encoder parameters +9,680 → 12,960 +\+33\.9 %\n/);
    expect(stdout).toMatch(/4 declarations of \d+ differ, \+5 −5 lines\n {2}step\.ts Encoder {2}\+1 −1\n/);
  });

  test.each([
    ["v1:small.json", "HEAD:./small.json", "spec", false],
    ["generated/two", "generated/three", "constants", true],
    ["generated/two/", "v1:small.json", "constants", false],
    ["runs/two", "runs/three", "constants", true],
    ["runs/two", "generated/two", "constants", false],
    ["runs/three", "small.json", "constants", false],
    ["odd:name.json", "v1:small.json", "spec", true],
  ])("%s and %s", async (a, b, compared, differ) => {
    const { code, stdout } = await diff(a, b, "--json", "--exit-code");
    expect(code).toBe(differ ? 1 : 0);
    expect(JSON.parse(stdout)).toMatchObject({ a: { name: a }, b: { name: b }, compared, differ });
  });

  test("runs have no code", async () => {
    expect(JSON.parse((await diff("runs/two", "small.json", "--json")).stdout).code).toBeNull();
    expect((await diff("runs/two", "small.json")).stdout).toContain("not compared: a run keeps its constants");
  });

  test("an edit by hand shows where the constants are the same", async () => {
    putTrainer("edited", "small.json");
    const step = join("generated", "edited", "step.ts");
    writeFileSync(step, "export const B = 4;\n", { flag: "a" });
    const { stdout, code } = await diff("generated/three", "generated/edited", "--json", "--exit-code");
    const { fields, code: found } = JSON.parse(stdout);
    expect({ code, fields }).toEqual({ code: 1, fields: [] });
    expect(found.changes).toMatchObject([{ file: "step.ts", name: "B", change: "changed", added: 1, removed: 0 }]);
  });
});

describe("exit codes", () => {
  test.each([
    [["small.json", "small.json", "--exit-code"], 0],
    [["v1:small.json", "small.json", "--exit-code"], 1],
    [["v1:small.json", "small.json"], 0],
    [["v1:small.json", "wrong.json", "--exit-code"], 2],
  ])("%j: %i", async (args, want) => {
    expect((await diff(...args)).code).toBe(want);
  });

  test.each([
    ["smal.json", "E101"],
    ["v9:small.json", "E421"],
    ["--output=stolen:small.json", "E901"],
    ["-x:small.json", "E901"],
    ["$(touch stolen):small.json", "E421"],
    ["v1:missing.json", "E422"],
    ["v1:../../etc/passwd", "E422"],
    ["v1:sub", "E102"],
    ["v1:sub/bytes.json", "E104"],
    ["v1:wrong.json", "E205"],
    ["sub", "E423"],
    [".", "E423"],
  ])("%s: %s", async (name, want) => {
    const { code, stdout, stderr } = await diff(name, "small.json");
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(` ${want} `.slice(want === "E901" ? 1 : 0));
  });

  test("after --, a name that begins with a dash is no option of git either", async () => {
    const { code, stderr } = await diff("--", "--output=stolen:small.json", "small.json");
    expect(code).toBe(2);
    expect(stderr).toContain("E421");
  });

  test("constants that are none", async () => {
    mkdirSync("runs/bad", { recursive: true });
    for (const text of ["{", "[]", "null"]) {
      put("runs/bad/experiment.json", text);
      expect((await diff("runs/bad", "small.json")).stderr).toContain("E424");
    }
  });

  test("outside of a repository", async () => {
    const outside = mkdtempSync(join(tmpdir(), "ijepa-no-git-"));
    process.chdir(outside);
    try {
      expect((await diff("v1:small.json", "small.json")).stderr).toContain("E420");
    } finally {
      process.chdir(folder);
      rmSync(outside, { recursive: true });
    }
  });

  test.each([[["--json", "--md"]], [["--rate", "0"]], [["--rate", "fast"]]])("%j", async (flags) => {
    const { code, stdout, stderr } = await diff("small.json", "small.json", ...flags);
    expect(code).toBe(2);
    expect(flags.includes("--json") ? stdout : stderr).toContain("E901");
  });
});

test("for a pull request", async () => {
  const { stdout } = await diff("v1:small.json", "small.json", "--md");
  expect(stdout).toContain("| What it means | before | after |\n| --- | --- | --- |\n| encoder.depth | 2 | 3 |\n");
  expect(stdout).toContain("\n```diff\n# step.ts Encoder\n@@ ");
});

test("no difference says so", async () => {
  expect((await diff("small.json", "small.json")).stdout).toMatch(/0 declarations of \d+ differ\n\nNo difference\.\n$/);
});
