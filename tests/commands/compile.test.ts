/** compile, inspect and run as a person calls them, in a folder of their own. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "ijepa-compile-"));
const spec = {
  image: { size: 32 },
  encoder: { dim: 16, depth: 2, heads: 2, patch: 8 },
  predictor: { dim: 8, depth: 2, heads: 2 },
  masking: { minKeep: 0, targets: { count: 2, scale: [0.2, 0.3] } },
  optimization: { epochs: 1, globalBatch: 4, learningRate: { warmupEpochs: 0 } },
  data: { source: "shapes", trainImages: 16, validationImages: 16, testImages: 16, sceneSize: 32 },
  evaluation: { knn: { neighbours: 3 } },
};

beforeAll(() => {
  writeFileSync(join(folder, "small.json"), JSON.stringify(spec));
  writeFileSync(join(folder, "wrong.json"), JSON.stringify({ ...spec, loss: "smoothL2" }));
  execFileSync(process.execPath, ["scripts/build.mjs"], { cwd: root });
});
afterAll(() => rmSync(folder, { recursive: true }));

function ijepa(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "bin/ijepa.js"), ...args], {
    cwd: folder,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

describe("compile", () => {
  test("writes the trainer, its bundle, and what points at it", () => {
    const { status, stdout, stderr } = ijepa("compile", "small.json");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^small\.json → generated\/small \([\d,]+ parameters, \d+ programs?, 4 steps\) in /);
    expect(stdout).toMatch(/Train with: node generated\/train\.js\n$/);
    for (const name of ["step.ts", "main.ts", "graph.txt", "report.md", "manifest.json", "train.js"]) {
      expect(existsSync(join(folder, "generated/small", name)), name).toBe(true);
    }
    expect(readFileSync(join(folder, "generated/train.js"), "utf8")).toContain('require("./small/train.js")');
  });

  test("writes the same bytes in every folder", () => {
    ijepa("compile", "small.json");
    ijepa("compile", "small.json", "--out", "another/folder");
    const written = (out: string) => readFileSync(join(folder, out, "small/train.js"), "utf8");
    expect(written("another/folder")).toBe(written("generated"));
    expect(written("generated")).not.toContain(folder);
    expect(written("generated")).not.toContain(root);
  });

  test("--check: up to date, then not", () => {
    ijepa("compile", "small.json");
    expect(ijepa("compile", "--check", "small.json")).toMatchObject({ status: 0, stdout: "small.json: up to date\n" });
    writeFileSync(join(folder, "generated/small/step.ts"), "// mine\n");
    const { status, stdout, stderr } = ijepa("compile", "--check", "small.json");
    expect(status).toBe(1);
    expect(stdout).toContain("generated/small/step.ts: edited by hand\n");
    expect(stdout).not.toMatch(/main\.ts:|::error/);
    expect(stderr).toMatch(/^1 of 1 trainers are not what the compiler writes now.*edited by hand with --force\.$/m);
  });

  test("several: each has its line, and what is stale is annotated where it has to change", () => {
    writeFileSync(join(folder, "second.json"), JSON.stringify({ ...spec, loss: "mse" }));
    const { status, stdout, stderr } = ijepa("compile", "--force", "small.json", "second.json", "./small.json");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(
      /^small\.json → .*\nsecond\.json → .*\n2 trainers in \d+\.\d\d s\n(.* not in reach .*\n)?Train with: .*\n {7}or: /,
    );
    expect(readFileSync(join(folder, "generated/second/train.js"), "utf8")).toContain('experiment "second"');

    const step = join(folder, "generated/small/step.ts");
    const lines = readFileSync(step, "utf8").split("\n");
    writeFileSync(step, [...lines.slice(0, 10), "// mine", ...lines.slice(10)].join("\n"));
    writeFileSync(join(folder, "second.json"), JSON.stringify({ ...spec, loss: "smoothL1", seed: 3 }));
    const found = ijepa("compile", "--check", "--format", "github", "small.json", "second.json");
    expect(found.status).toBe(1);
    expect(found.stdout.split("\n").filter((line) => line.startsWith("::"))).toEqual([
      expect.stringMatching(/^::error file=generated\/small\/step\.ts,line=11,title=edited by hand::.*step\.ts:11: /),
      expect.stringMatching(
        /^::error file=second\.json,line=1,title=spec changed::.*%0Agenerated\/second\/experiment\.ts:/,
      ),
    ]);
  });

  test("two of one name would lie in one folder", () => {
    writeFileSync(join(folder, "again.json"), JSON.stringify({ ...spec, name: "small" }));
    const { status, stderr } = ijepa("compile", "small.json", "again.json");
    expect(status).toBe(1);
    expect(stderr).toContain("E430 name: another of these experiments has the same name");
    expect(stderr).toContain('"small", as in small.json');
  });

  test.each([["--watch"], ["--force"]])("%s and --check exclude each other", (flag) => {
    expect(ijepa("compile", flag, "--check", "small.json")).toMatchObject({ status: 2, stdout: "" });
  });

  test("an invalid spec writes nothing", () => {
    const { status, stderr } = ijepa("compile", "wrong.json");
    expect(status).toBe(1);
    expect(stderr).toContain("Did you mean");
    expect(existsSync(join(folder, "generated/wrong"))).toBe(false);
  });

  test("the bundle trains from any folder", () => {
    ijepa("compile", "--force", "small.json");
    const elsewhere = mkdtempSync(join(tmpdir(), "ijepa-elsewhere-"));
    const bundle = join(folder, "generated/train.js");
    // the engine lies in the project's own node_modules, not beside the bundle
    const { status, stdout, stderr } = spawnSync(process.execPath, [bundle, "--no-progress", "--steps", "2"], {
      cwd: elsewhere,
      encoding: "utf8",
      env: { ...process.env, NODE_PATH: join(root, "node_modules") },
    });
    expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: "" });
    expect(existsSync(join(elsewhere, "runs/small/log.csv"))).toBe(true);
    rmSync(elsewhere, { recursive: true });
  });
});

describe("inspect", () => {
  test("for programs", () => {
    const { status, stdout } = ijepa("inspect", "--json", "--no-measure", "--rate", "50", "small.json");
    expect(status).toBe(0);
    const [found] = JSON.parse(stdout).specs;
    expect(found).toMatchObject({ name: "small", tokens: 16, steps: 4, images: 16, epochs: 1 });
    const shares = found.programs.map((program: { probability: number }) => program.probability);
    expect(shares.reduce((sum: number, share: number) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(found.masks.own.coverage.context).toHaveLength(16);
    expect(found.deviceHours.hours).toBeCloseTo(found.flopsInAll / 50e12 / 3600, 15);
  });

  test("for people", () => {
    const { status, stdout } = ijepa("inspect", "--no-measure", "small.json");
    expect(status).toBe(0);
    for (const heading of ["# small", "## Programs", "## Operations per step", "## Masks"])
      expect(stdout).toContain(heading);
    expect(stdout).not.toContain("On this machine");
  });

  test("hours of this machine stand beside those of a card, or why they do not", () => {
    const env = { ...process.env, XDG_CACHE_HOME: join(folder, "caches") };
    const args = [join(root, "bin/ijepa.js"), "inspect", "small.json"];
    const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8", cwd: folder, env });
    expect(stdout).toMatch(
      /On a device that sustains 100 TFLOP\/s: .*\nOn this machine(, as measured on \d{4}-\d\d-\d\d: .* on onnx cpu, |: not timed, since )/,
    );
  }, 300_000);

  test("a rate that is none", () => {
    expect(ijepa("inspect", "--rate", "fast", "small.json")).toMatchObject({ status: 2, stdout: "" });
  });
});

describe("run", () => {
  test("compiles and trains; flags after -- go to the trainer", () => {
    const { status, stdout, stderr } = ijepa(
      "run",
      "small.json",
      "--",
      "--no-progress",
      "--steps",
      "1",
      "--run-dir",
      "one",
    );
    expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: "" });
    expect(existsSync(join(folder, "one/log.csv"))).toBe(true);
  });

  test("--report: writes the page of the run, wherever the trainer was told to put it", () => {
    const { status, stdout } = ijepa("run", "small.json", "--report", "--", "--quiet", "--run-dir=shown");
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: expect.stringMatching(/shown\/report\.html \(\d\.\d\d MB\): open it in a browser\n$/),
    });
    expect(existsSync(join(folder, "shown/report.html"))).toBe(true);
  });

  test("--report: no page of a run that was refused", () => {
    expect(ijepa("run", "small.json", "--report", "--", "--steps", "none")).toMatchObject({ status: 2, stdout: "" });
  });

  test("the trainer's own exit code", () => {
    expect(ijepa("run", "small.json", "--", "--steps", "none").status).toBe(2);
  });
});
