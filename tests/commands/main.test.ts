import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "ijepa-cli-"));
const good = join(folder, "good.json");
const bad = join(folder, "bad.json");

beforeAll(() => {
  writeFileSync(
    good,
    '{ "image": { "size": 64 }, "encoder": { "size": "tiny" }, "data": { "source": "shapes", "trainImages": 64 } }',
  );
  writeFileSync(bad, '{ "data": { "source": "shapes" }, "seed": -1, "sead": 1 }');
  execFileSync(process.execPath, ["scripts/build.mjs"]);
});
afterAll(() => rmSync(folder, { recursive: true }));

function ijepa(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["bin/ijepa.js", ...args], { encoding: "utf8" });
  return { status, stdout: stdout.replaceAll(`${folder}/`, ""), stderr: stderr.replaceAll(`${folder}/`, "") };
}

describe("validate", () => {
  test("valid", () => {
    expect(ijepa("validate", good)).toEqual({ status: 0, stdout: "good.json: valid\n", stderr: "" });
  });

  test("invalid: all of it on standard error, the count below", () => {
    const { status, stdout, stderr } = ijepa("validate", good, bad);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "good.json: valid\n" });
    expect(stderr).toMatch(/^bad.json:1:43 E204 seed: out of range\n/);
    expect(stderr).toMatch(/\nbad.json:1:47 E201 sead: no such field\n/);
    expect(stderr).toMatch(/\n2 problems in 1 file.\n$/);
  });

  test("for GitHub: the same, and annotations below it", () => {
    const annotations = (args: readonly string[], more: object = {}) => {
      const env = { ...process.env, ...more };
      const { stdout, stderr } = spawnSync(process.execPath, ["bin/ijepa.js", ...args], { encoding: "utf8", env });
      expect(stdout).not.toContain("::error");
      return stderr
        .split("\n")
        .flatMap((line) => /^::error .*line=(\d+),col=(\d+),title=(\w+)::/.exec(line)?.slice(1) ?? []);
    };
    const want = ["1", "43", "E204", "1", "47", "E201"];
    expect(annotations(["validate", "--format", "github", bad])).toEqual(want);
    const inWorkflow = { GITHUB_ACTIONS: "true" };
    expect(annotations(["validate", bad], inWorkflow)).toEqual(want);
    expect(annotations(["validate", "--format", "text", bad], inWorkflow)).toEqual([]);
    expect(annotations(["validate", "--format", "json", bad], inWorkflow)).toEqual([]);
  });

  test("a grid: every point of it", () => {
    const grid = join(folder, "grid.json");
    writeFileSync(grid, '{ "base": "good.json", "axes": [{ "pointer": "/loss", "values": ["mse", "mae"] }] }');
    const { status, stdout, stderr } = ijepa("validate", grid);
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(
      /^grid.json:1:73 E205 axes\[0\].values\[1\]: point `grid-lossmae`: loss: not one of the choices\n/,
    );
    writeFileSync(grid, '{ "base": "good.json", "axes": [{ "pointer": "/loss", "values": ["mse"] }] }');
    expect(ijepa("validate", good, grid).stdout).toBe("good.json: valid\ngrid.json: valid, a sweep of 1 point\n");
    expect(JSON.parse(ijepa("validate", "--json", grid).stdout)).toEqual({
      valid: true,
      specs: [{ file: expect.any(String), valid: true, name: "grid", hash: null, points: 1, diagnostics: [] }],
    });
  });

  test("a file that is not there", () => {
    expect(ijepa("validate", join(folder, "god.json"))).toEqual({
      status: 2,
      stdout: "",
      stderr: "god.json E101 there is no such file\n  hint   Did you mean `good.json`?\n\n1 problem in 1 file.\n",
    });
  });

  test("for machines", () => {
    const { status, stdout, stderr } = ijepa("validate", "--json", good, bad);
    expect({ status, stderr }).toEqual({ status: 1, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({
      valid: false,
      specs: [
        { valid: true, name: "good", hash: expect.stringMatching(/^[0-9a-f]{64}$/), diagnostics: [] },
        {
          valid: false,
          name: null,
          hash: null,
          diagnostics: [{ code: "E204", path: "seed", line: 1 }, { code: "E201" }],
        },
      ],
    });
  });
});

describe("usage", () => {
  test.each([
    [["validat"], "E901 unknown command 'validat'\n  hint   Did you mean validate?\n"],
    [["validate"], "E901 missing required argument 'specs'\n  hint   `ijepa --help` lists what there is.\n"],
    [["validate", "--jsn", "x"], "E901 unknown option '--jsn'\n  hint   Did you mean --json?\n"],
    [["help", "compil"], "E901 unknown command 'compil'\n  hint   `ijepa --help` lists what there is.\n"],
    [["--vers"], "E901 unknown option '--vers'\n  hint   Did you mean --version?\n"],
  ])("%j", (args, stderr) => {
    expect(ijepa(...args)).toEqual({ status: 2, stdout: "", stderr });
  });

  test.each([[[]], [["--help"]], [["help"]]])("%j lists the commands", (args) => {
    const { status, stdout, stderr } = ijepa(...args);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    for (const command of ["validate", "inspect", "compile", "run"]) expect(stdout).toContain(`  ${command} `);
  });

  test("inspect --scaling says what is expected of many cards, and what was assumed", () => {
    const quickstart = "experiments/quickstart.json";
    const { status, stdout } = ijepa(
      "inspect",
      quickstart,
      "--no-measure",
      "--scaling",
      "--card",
      "A100",
      "--step-ms",
      "250",
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /## Scaling\n\nExpected on A100 SXM 80 GB, by a model and not by a run\..* was measured: 250 ms\./,
    );
    for (const devices of [8, 64, 512]) expect(stdout).toContain(`\n| ${devices} | `);
    expect(stdout).toContain("Assumed: links reach 80.0 %");
    const { specs } = JSON.parse(
      ijepa("inspect", quickstart, "--no-measure", "--scaling", "--mfu", "0.25", "--json").stdout,
    );
    expect(specs[0].scaling).toMatchObject({ card: "H100", mfu: 0.25, imagesPerDevice: 16 });
  });

  test.each([
    [["--card", "B300"], /^--card takes H100, H200, A100; found "B300"\n$/],
    [["--mfu", "30"], /^--mfu takes a share of the card's peak, above 0 and at most 1; found 30\n$/],
    [["--step-ms", "fast"], /^--step-ms takes milliseconds above 0; found fast\n$/],
  ])("inspect --scaling refuses %j", (args, said) => {
    const { status, stderr } = ijepa("inspect", "--scaling", ...args);
    expect(status).toBe(2);
    expect(stderr).toMatch(said);
  });

  test("a folder that can not be written is no fault of the program", () => {
    const { status, stderr } = ijepa("compile", "experiments/quickstart.json", "--out", good);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^good.json.* E902 (the folder can not be made|can not be opened): /);
    expect(stderr).not.toMatch(/ {4}at /);
  });

  test("what asks for JSON gets failures as JSON", () => {
    for (const args of [
      ["inspect", "--json", bad],
      ["diff", "--json", good, bad],
      ["doctor", "--json", bad],
      ["sweep", "--list", "--format", "json", bad],
      ["inspect", "--json", "--rate", "fast"],
      ["validate", "--json", "--jsn"],
    ]) {
      const { status, stdout, stderr } = ijepa(...args);
      expect([status === 0, stderr], args.join(" ")).toEqual([false, ""]);
      expect(JSON.parse(stdout).diagnostics[0], args.join(" ")).toMatchObject({
        code: expect.any(String),
        severity: "error",
      });
    }
  });

  test.each([
    [["run", good, "--steps", "3"], "It is a flag of the trainer: those follow after --, as in -- --steps …"],
    [["run", good, "--tensorboard"], "It is a flag of the trainer: those follow after --, as in -- --tensorboard …"],
    [["validate", good, "--set", "epochs=3"], "Did you mean `optimization.epochs`?"],
    [["validate", good, "--set", "learningRate=0.001"], "Did you mean `optimization.learningRate.peak`?"],
    [["validate", good, "--set", "optimization.learningRate=0.001"], "Did you mean `optimization.learningRate.peak`?"],
    [["validate", good, "--set", "batchSize=8"], "Did you mean `optimization.globalBatch`?"],
    [["validate", good, "--set", "name=package.json"], "E322 name: a file beside the trainers has this name"],
  ])("%j", (args, says) => {
    expect(ijepa(...args).stderr).toContain(says);
  });

  test("FORCE_COLOR colours what is no terminal", () => {
    const env = { ...process.env, FORCE_COLOR: "1" };
    const { stderr } = spawnSync(process.execPath, ["bin/ijepa.js", "validate", bad], { encoding: "utf8", env });
    expect(stderr).toContain("\u001b[3");
  });

  test("--version", () => {
    expect(ijepa("--version")).toEqual({ status: 0, stdout: "0.1.0\n", stderr: "" });
  });
});
