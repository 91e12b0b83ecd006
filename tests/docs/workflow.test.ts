/** docs/github-workflow.yml does what it says: its scripts run here as they stand, in a repository with one experiment. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";

interface Step {
  readonly run?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly env?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}
const workflow: { readonly jobs: Readonly<Record<string, Job>> } = parse(
  readFileSync("docs/github-workflow.yml", "utf8"),
);

const root = mkdtempSync(join(tmpdir(), "ijepa-workflow-"));
const repository = join(root, "repository");
const tools = join(root, "tools");
const at = (path: string): string => join(repository, path);
const read = (path: string): string => readFileSync(at(path), "utf8");
const git = (...args: readonly string[]): string =>
  execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], {
    cwd: repository,
    encoding: "utf8",
  });
const put = (path: string, value: unknown): void => {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), JSON.stringify(value, null, 2));
};

const spec = {
  image: { size: 16 },
  encoder: { dim: 16, depth: 1, heads: 2, patch: 4 },
  predictor: { dim: 8, depth: 1 },
  masking: { sampler: "unbiased", minKeep: 1, targets: { count: 2, scale: [0.2, 0.3] } },
  data: { source: "shapes", trainImages: 64, sceneSize: 16 },
  optimization: { epochs: 1, globalBatch: 8, learningRate: { warmupEpochs: 0.5 } },
  evaluation: { trainImages: 64, testImages: 64 },
};

beforeAll(() => {
  execFileSync(process.execPath, ["scripts/build.mjs"]);
  mkdirSync(tools);
  const tool = (name: string, script: string): void => {
    writeFileSync(join(tools, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(tools, name), 0o755);
  };
  // What npm ci would install; and a GitHub that takes notes.
  tool("npx", `shift\nexec '${process.execPath}' '${resolve("bin/ijepa.js")}' "$@"`);
  tool("npm", "exit 0");
  tool("gh", `echo "$@" >> '${join(root, "gh.txt")}'`);
  put("experiments/tiny.json", spec);
  put("experiments/sweeps/widths.json", {
    base: "../tiny.json",
    axes: [{ pointer: "/encoder/dim", values: [16, 32] }],
  });
  writeFileSync(at(".gitignore"), "runs/\ngenerated/*/*/\ngenerated/**/train.js\ngenerated/*/package.json\n");
  git("init", "--quiet");
  ijepa("compile", "experiments/tiny.json");
  git("add", ".");
  git("commit", "--quiet", "--message", "before");
});
afterAll(() => rmSync(root, { recursive: true }));

const environment = (more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv => ({
  ...process.env,
  PATH: `${tools}:${process.env.PATH}`,
  GITHUB_ACTIONS: "true",
  CI: "true",
  GITHUB_WORKSPACE: repository,
  GITHUB_OUTPUT: join(root, "output.txt"),
  GITHUB_STEP_SUMMARY: join(root, "summary.md"),
  ...more,
});

function ijepa(...args: readonly string[]): void {
  execFileSync(join(tools, "npx"), ["ijepa", ...args], { cwd: repository });
}

/** Runs the scripts of a job as GitHub does; stops at the first that fails. */
function runJob(name: string, values: Readonly<Record<string, string>> = {}): { code: number; output: string } {
  let output = "";
  for (const { run } of workflow.jobs[name]?.steps ?? []) {
    if (run === undefined) continue;
    const shell = ["--noprofile", "--norc", "-eo", "pipefail", "-c", run];
    const ran = spawnSync("bash", shell, { cwd: repository, encoding: "utf8", env: environment(values) });
    output += ran.stdout + ran.stderr;
    if (ran.status !== 0) return { code: ran.status ?? -1, output };
  }
  return { code: 0, output };
}

test("scripts read what comes from outside as variables, never as text of the script", () => {
  const scripts = Object.values(workflow.jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));
  expect(scripts.length).toBeGreaterThan(8);
  for (const script of scripts) expect(script).not.toContain("${{");
});

test("check passes what is right", () => {
  const { code, output } = runJob("check");
  expect(code, output).toBe(0);
  expect(output).toContain("experiments/tiny.json: up to date");
  expect(output).toContain("experiments/sweeps/widths.json: 2 points, each compiled and type-checked");
});

test("diff comments on a spec that changed", () => {
  put("experiments/tiny.json", { ...spec, encoder: { ...spec.encoder, dim: 32 } });
  const base = git("rev-parse", "HEAD").trim();
  const { code, output } = runJob("diff", { BASE: base, NUMBER: "7" });
  expect(code, output).toBe(0);
  expect(read("diff.md")).toContain("encoder.dim");
  expect(readFileSync(join(root, "gh.txt"), "utf8")).toBe(
    "pr comment 7 --body-file diff.md --edit-last --create-if-none\n",
  );
});

test("check refuses a trainer that is out of date, and annotates a spec that is wrong", () => {
  const stale = runJob("check");
  expect(stale.code).toBe(1);
  expect(stale.output).toContain("spec changed");
  put("experiments/tiny.json", { ...spec, encoder: { ...spec.encoder, heads: 3 } });
  const wrong = runJob("check");
  expect(wrong.code).toBe(1);
  expect(wrong.output).toMatch(/^::error file=experiments\/tiny\.json,line=\d+,col=\d+,title=E303::/m);
  put("experiments/tiny.json", spec);
});

test("plan, train and results share a sweep among jobs", () => {
  const GRID = "experiments/sweeps/widths.json";
  const planned = runJob("plan", { GRID, SHARDS: "2" });
  expect(planned.code, planned.output).toBe(0);
  const [, json = ""] = readFileSync(join(root, "output.txt"), "utf8").trim().split("matrix=");
  const matrix: { include: { shard: string }[] } = JSON.parse(json);
  expect(matrix.include.map(({ shard }) => shard)).toEqual(["1/2", "2/2"]);
  for (const [index, { shard }] of matrix.include.entries()) {
    const trained = runJob("train", { GRID, SHARD: shard });
    expect(trained.code, trained.output).toBe(0);
    renameSync(at("runs"), join(root, `artifact-${index}`));
  }
  // What download-artifact does with merge-multiple.
  for (const index of [0, 1]) {
    mkdirSync(at("runs/widths"), { recursive: true });
    const folder = join(root, `artifact-${index}`, "widths");
    for (const name of readdirSync(folder)) {
      if (!existsSync(at(`runs/widths/${name}`))) renameSync(join(folder, name), at(`runs/widths/${name}`));
    }
  }
  const gathered = runJob("results", { GRID });
  expect(gathered.code, gathered.output).toBe(0);
  expect(gathered.output).toContain("widths: 2 points, 2 finished");
  expect(readFileSync(join(root, "summary.md"), "utf8")).toContain("dim32");
});
