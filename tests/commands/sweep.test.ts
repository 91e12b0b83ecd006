import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "ijepa-sweep-cli-"));
const bin = resolve("bin/ijepa.js");
const shapes = { source: "shapes", trainImages: 64, sceneSize: 16 };
const base = {
  image: { size: 16 },
  encoder: { dim: 16, depth: 1, heads: 2, patch: 4 },
  predictor: { dim: 8, depth: 1 },
  masking: { sampler: "unbiased", minKeep: 1, targets: { count: 2, scale: [0.2, 0.3] } },
  data: shapes,
  optimization: { epochs: 2, globalBatch: 8, learningRate: { warmupEpochs: 0.5 } },
  evaluation: { everyEpochs: 1, trainImages: 64, testImages: 64 },
};
const write = (name: string, value: unknown): void => writeFileSync(join(folder, name), JSON.stringify(value));
const read = (path: string): string => readFileSync(join(folder, path), "utf8");

beforeAll(() => {
  execFileSync(process.execPath, ["scripts/build.mjs"]);
  write("base.json", base);
  // Folders without images: the trainer of that point ends by itself.
  const empty = { source: "folder", train: "nowhere", images: 64, labels: false };
  const data = { pointer: "/data", values: [shapes, empty], labels: ["shapes", "nowhere"] };
  const dim = { pointer: "/encoder/dim", values: [16, 32] };
  const excluded = [{ "/data": empty, "/encoder/dim": 32 }];
  const floor = { rule: "floor", floors: [{ epoch: 1, value: 100 }] };
  write("grid.json", {
    base: "base.json",
    axes: [data, dim],
    exclude: excluded,
    metric: { name: "loss" },
    stop: floor,
  });
  write("bad.json", { base: "base.json", axes: [{ pointer: "/encoder/depht", values: [1] }] });
  write("long-base.json", { ...base, optimization: { ...base.optimization, epochs: 1000 } });
  write("long.json", { base: "long-base.json", axes: [dim] });
  const halving = { rule: "halving", epochs: [1] };
  write("halving.json", { base: "base.json", axes: [dim], metric: { name: "loss" }, stop: halving });
});
afterAll(() => rmSync(folder, { recursive: true }));

function ijepa(...args: string[]) {
  const env = { ...process.env, CI: "1" };
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
    encoding: "utf8",
    cwd: folder,
    env,
  });
  return { status, stdout, stderr };
}

describe("ijepa sweep --check", () => {
  test("compiles and type-checks every point, and writes nothing", () => {
    const before = readdirSync(folder);
    const { status, stdout, stderr } = ijepa("sweep", "grid.json", "--check");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^grid\.json: 3 points, each compiled and type-checked, in [\d.]+ s\n$/);
    expect(readdirSync(folder)).toEqual(before);
  });

  test("says what is wrong with a grid, for people and for GitHub", () => {
    const { status, stdout, stderr } = ijepa("sweep", "bad.json", "--check", "--format", "github");
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(/^::error file=.*bad\.json,line=1,col=\d+,title=E503::/m);
    expect(stderr).toMatch(/^bad\.json:1:\d+ E503 .*\n/);
    expect(stderr).toContain("Did you mean `/encoder/depth`?");
  });
});

describe("usage", () => {
  const cases: readonly [args: string[], says: RegExp][] = [
    [["grid.json", "--jobs", "0"], /^E901 --jobs is '0'\n {2}hint {3}It is a whole number from 1\./],
    [["grid.json", "--list", "--check"], /^E901 --list and --check can not be combined/],
    [["grid.json", "--shards", "3"], /^E901 --shards is for --list --format github/],
    [["grid.json", "--executor", "sge"], /^E901 there is no executor 'sge'\n.*local, slurm, kubernetes, ray/],
    [["grid.json", "bad.json"], /^E901 unexpected 'bad\.json'\n.*One grid at a time/],
    [["grid.json", "--jbos", "2"], /^E901 unknown option '--jbos'\n.*--jobs/],
    [["nowhere.json"], /^nowhere\.json E101 there is no such file/],
    [["grid.json", "--only", "grid-shape"], /E521 no point is called `grid-shape`/],
    [["grid.json", "--shard", "4/3"], /E522 /],
    [["halving.json", "--shard", "1/2"], /^halving\.json E532 .*\n {2}found {2}--shard 1\/2/],
    [["halving.json", "--executor", "slurm"], /^halving\.json E532 .*\n {2}found {2}--executor slurm/],
  ];
  test.each([
    [[], /--list or --check/],
    [["--check"], /text, github/],
  ])("%j --format json, which is not possible, is refused in JSON", (flags, says) => {
    const { status, stdout } = ijepa("sweep", "grid.json", ...flags, "--format", "json");
    const [diagnostic] = JSON.parse(stdout).diagnostics;
    expect({ status, diagnostic }).toMatchObject({
      status: 2,
      diagnostic: { code: "E901", hint: expect.stringMatching(says) },
    });
  });

  test.each(cases)("%j", (args, says) => {
    const { status, stdout, stderr } = ijepa("sweep", ...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(says);
    expect(stderr).not.toMatch(/ {4}at /);
    expect(existsSync(join(folder, "runs"))).toBe(false);
  });
});

describe("a sweep", () => {
  const point = (name: string): Record<string, unknown> => JSON.parse(read(`runs/grid/${name}/point.json`));

  test("trains its points; one that fails loses nothing of the others", () => {
    const { status, stdout, stderr } = ijepa("sweep", "grid.json", "--jobs", "2", "--", "--log-every", "1");
    expect(status, stderr).toBe(1);
    expect(stdout).toContain("3 points compiled, type-checked and bundled in ");
    expect(stdout).toMatch(
      /^grid-nowhere-dim16: failed \(There is no folder .*nowhere, which should hold the train im/m,
    );
    expect(stdout).toMatch(/^grid-shapes-dim32: finished, 16 steps, loss [\d.]+$/m);
    expect(stdout).toContain("grid: 2 finished, 1 failed of 3 points in ");
    expect(stderr).toMatch(/^grid-nowhere-dim16: failed, R130: .*\n {2}runs\/grid\/grid-nowhere-dim16\/output\.log\n/);
    expect(stderr).toMatch(/1 of 3 points are not done\. The same command with --resume goes on with them\.\n$/);
    expect(stderr).not.toMatch(/ {4}at /);
    expect(readdirSync(join(folder, "runs/grid")).filter((name) => name.startsWith("results"))).toHaveLength(4);
    expect(point("grid-shapes-dim32")).toMatchObject({
      sweep: "grid",
      name: "grid-shapes-dim32",
      labels: { data: "shapes", dim: "dim32" },
      values: { "/encoder/dim": 32 },
      rungs: [],
    });
    const log = read("runs/grid/grid-shapes-dim16/log.jsonl");
    expect(log.match(/"event":"step"/g)).toHaveLength(16);
    expect(read("runs/grid/grid-shapes-dim16/output.log")).toMatch(
      /^\$ node generated\/grid\/grid-shapes-dim16\/train\.js --run-dir runs\/grid\/grid-shapes-dim16 .*--no-progress --threads \d+ --floor .*loss@1=100.* --log-every 1\n/,
    );
  });

  test("does not train over what is there", () => {
    const { status, stdout, stderr } = ijepa("sweep", "grid.json");
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^runs\/grid E530 holds runs of 3 of the points already \(.*2 finished.*\)\n/);
    expect(stderr).toMatch(/`--resume` goes on .*`--runs` names another folder/);
  });

  test("is resumed: what is done stays, what failed is tried again", () => {
    const before = read("runs/grid/grid-shapes-dim16/log.jsonl");
    const { status, stdout } = ijepa("sweep", "grid.json", "--resume");
    expect(status).toBe(1);
    expect(stdout).toMatch(/^2 finished already: not run again\n1 point compiled/);
    expect(read("runs/grid/grid-shapes-dim16/log.jsonl")).toBe(before);
  });

  test("trains anew what has changed, and keeps the earlier run", () => {
    write("base.json", { ...base, optimization: { ...base.optimization, epochs: 3 } });
    const { status, stdout, stderr } = ijepa("sweep", "grid.json", "--resume", "--only", "*-shapes-dim16");
    expect(status, stderr).toBe(0);
    expect(stdout).toContain(
      "grid-shapes-dim16: the spec changed since; the earlier run is kept in runs/grid/grid-shapes-dim16.1\n",
    );
    expect(stdout).toMatch(/^grid-shapes-dim16: finished, 24 steps/m);
    expect(read("runs/grid/grid-shapes-dim16.1/log.jsonl")).toContain('"reason":"complete"');
  });

  test("gathers its results without training", () => {
    const { status, stdout, stderr } = ijepa("sweep", "grid.json", "--results");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain("Results: runs/grid/results.{csv,json,md,html}\n");
  });

  test("is stopped by Ctrl-C with everything saved, and goes on from there", async () => {
    const sweep = spawn(process.execPath, [bin, "sweep", "long.json", "--jobs", "2", "--", "--log-every", "1"], {
      cwd: folder,
    });
    let text = "";
    sweep.stdout.on("data", (chunk) => {
      text += String(chunk);
    });
    const code = new Promise((resolve) => sweep.on("close", resolve));
    const log = join(folder, "runs/long/long-dim16/log.jsonl");
    for (let tries = 0; !existsSync(log) || !readFileSync(log, "utf8").includes('"event":"step"'); tries++) {
      if (tries > 1000) throw new Error(`it never began: ${text}`);
      await wait(50);
    }
    sweep.kill("SIGINT");
    expect(await code).toBe(130);
    expect(text).toContain("SIGINT: running points finish their step and save.");
    const last = JSON.parse(readFileSync(log, "utf8").trimEnd().split("\n").at(-1) ?? "");
    expect(last).toMatchObject({ event: "end", reason: "SIGINT" });
    expect(existsSync(join(folder, "runs/long/long-dim16/lock.json"))).toBe(false);
    const steps = String(last.step + 5);
    const resumed = ijepa("sweep", "long.json", "--resume", "--only", "long-dim16", "--", "--steps", steps);
    expect(resumed.status).toBe(1);
    expect(resumed.stdout).toContain(`long-dim16: paused, ${steps} steps`);
  });
});
