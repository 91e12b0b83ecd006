import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "ijepa-set-"));
const spec = {
  image: { size: 32 },
  encoder: { dim: 24, depth: 1, heads: 3, patch: 4 },
  predictor: { dim: 24, depth: 1 },
  masking: { minKeep: 4, targets: { scale: [0.2, 0.2] } },
  data: { source: "folder", train: "images", images: 8, labels: false },
  optimization: { epochs: 2, globalBatch: 4, learningRate: { warmupEpochs: 0 } },
};

beforeAll(async () => {
  execFileSync(process.execPath, ["scripts/build.mjs"]);
  mkdirSync(join(folder, "project/images"), { recursive: true });
  writeFileSync(join(folder, "project/mine.json"), JSON.stringify(spec));
  for (let i = 0; i < 8; i++) {
    const colour = { r: 20 * i, g: 100, b: 200 };
    const image = sharp({ create: { width: 40, height: 40, channels: 3, background: colour } });
    await image.png().toFile(join(folder, `project/images/${i}.png`));
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

function ijepa(args: readonly string[], more: { readonly input?: string; readonly cwd?: string } = {}) {
  const result = spawnSync(process.execPath, [resolve("bin/ijepa.js"), ...args], { encoding: "utf8", ...more });
  return { status: result.status, stdout: result.stdout, stderr: result.stderr };
}

describe("a spec from standard input", () => {
  test("it is called stdin, and errors have their places", () => {
    const good = ijepa(["validate", "-", "--json"], { input: JSON.stringify(spec) });
    expect(JSON.parse(good.stdout)).toMatchObject({ valid: true, specs: [{ file: "<stdin>", name: "stdin" }] });
    const bad = ijepa(["validate", "-"], { input: '{ "data": { "source": "shapes" }, "seed": -1 }' });
    expect(bad).toMatchObject({ status: 1, stderr: expect.stringMatching(/^<stdin>:1:43 E204 seed: /) });
  });

  test.skipIf(process.platform === "win32")("/dev/stdin and a pipe of the shell are read once and whole", () => {
    expect(ijepa(["validate", "/dev/stdin"], { input: JSON.stringify(spec) }).stdout).toBe("/dev/stdin: valid\n");
    const line = `exec '${process.execPath}' bin/ijepa.js validate <(cat '${join(folder, "project/mine.json")}')`;
    expect(spawnSync("bash", ["-c", line], { encoding: "utf8" }).stdout).toMatch(/^\/dev\/fd\/\d+: valid\n$/);
    expect(ijepa(["validate", "/dev/zero"]).stderr).toContain("E109 is too large for a spec");
  });
});

test("relative paths of the data start at the spec, from wherever it is trained, and --set is recorded", () => {
  const elsewhere = join(folder, "elsewhere");
  mkdirSync(elsewhere);
  const set = ["--set", "optimization.epochs=1", "--set", "seed=7"];
  const ran = ijepa(["run", "../project/mine.json", ...set, "--", "--quiet"], { cwd: elsewhere });
  expect(ran).toEqual({ status: 0, stdout: "", stderr: "" });
  const recorded = JSON.parse(readFileSync(join(elsewhere, "runs/mine/experiment.json"), "utf8"));
  expect(recorded).toMatchObject({ seed: 7, schedule: { steps: 2 }, settings: ["optimization.epochs=1", "seed=7"] });
  // The trainer by itself, from a third place.
  const args = [join(elsewhere, "generated/mine/train.js"), "--quiet", "--run-dir", join(folder, "again")];
  const env = { ...process.env, NODE_PATH: resolve("node_modules") };
  expect(spawnSync(process.execPath, args, { encoding: "utf8", cwd: folder, env }).stderr).toBe("");
  // Without packages all that are missing are named at once, with the versions that were tried.
  const bare = spawnSync(process.execPath, args, { encoding: "utf8", cwd: folder });
  expect(bare.stderr).toMatch(
    /^R100: The packages onnxruntime-node, sharp, koffi and @julusian\/jpeg-turbo are not .*npm install --ignore-scripts onnxruntime-node@[\d.]+ sharp@[\d.]+ koffi@[\d.]+ @julusian\/jpeg-turbo@[\d.]+\n/,
  );
  // Copied alone it knows no folder but the one that it is started in.
  cpSync(join(elsewhere, "generated/mine/train.js"), join(folder, "train.cjs"));
  const alone = spawnSync(process.execPath, [join(folder, "train.cjs"), "--quiet"], {
    encoding: "utf8",
    cwd: folder,
    env,
  });
  expect(alone.stderr).toContain(`R130: There is no folder ${join(folder, "images")}`);
  expect(existsSync(join(folder, "runs/mine"))).toBe(true);
});

test("a sweep: every point begins with it, and an axis of the same field is in its way", () => {
  const grid = join(folder, "project/grid.json");
  writeFileSync(grid, '{ "base": "mine.json", "axes": [{ "pointer": "/loss", "values": ["mse", "smoothL1"] }] }');
  const listed = ijepa(["sweep", grid, "--list", "--format", "json", "--set", "optimization.epochs=1"]);
  expect(JSON.stringify(JSON.parse(listed.stdout))).toContain('"/optimization/epochs":1');
  const clash = ijepa(["validate", grid, "--set", "loss=mse"]);
  expect(clash.status).toBe(1);
  expect(clash.stderr).toContain("loss");
  const wrong = ijepa(["validate", grid, "--set", "optimization.epochs=0"]);
  expect(wrong.stderr).toMatch(/^--set:1:21 E204 /);
});

test("inspect --resolved says where each value comes from", () => {
  const { stdout } = ijepa(["inspect", "--resolved", join(folder, "project/mine.json"), "--set", "seed=7"]);
  expect(stdout).toContain('"seed": 7, // --set seed=7\n');
  expect(stdout).toMatch(/"epochs": 2, \/\/ .*mine\.json:1\n/);
  expect(stdout).toContain('"beta1": 0.9, // default\n');
});
