/** The package as npm installs it: a spec with its schema, and generated files that type-check in a project of one's own. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parse } from "jsonc-parser";
import { afterAll, beforeAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "ijepa-package-"));
const minutesMs = 60_000;

function call(command: string, args: readonly string[], cwd = folder) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  return { status, text: `${stdout}${stderr}` };
}

beforeAll(() => {
  const packed = call("npm", ["pack", "--ignore-scripts=false", "--pack-destination", folder], resolve("."));
  expect(packed.status, packed.text).toBe(0);
  const [archive] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  writeFileSync(join(folder, "package.json"), '{ "private": true }');
  const { devDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
  const typescript = `typescript@${devDependencies.typescript}`;
  const installed = call("npm", ["install", "--ignore-scripts", `./${archive}`, typescript]);
  expect(installed.status, installed.text).toBe(0);
}, 10 * minutesMs);
afterAll(() => rmSync(folder, { recursive: true }), minutesMs);

test(
  "a first spec names a schema that is there",
  () => {
    const made = call("npx", ["ijepa", "init", "my", "--minutes", "0.05"]);
    expect(made.status, made.text).toBe(0);
    const { $schema } = parse(readFileSync(join(folder, "my.json"), "utf8"));
    expect($schema).toBe("./node_modules/ijepa/schema/experiment.schema.json");
    expect(existsSync(join(folder, $schema))).toBe(true);
  },
  5 * minutesMs,
);

test(
  "generated files type-check as documented, and a wrong edit does not",
  () => {
    const compiled = call("npx", ["ijepa", "compile", "my.json"]);
    expect(compiled.status, compiled.text).toBe(0);
    // As README says it.
    const [config] =
      /\{ "extends": "ijepa\/tsconfig\.generated\.json".*\}/.exec(readFileSync("README.md", "utf8")) ?? [];
    writeFileSync(join(folder, "tsconfig.json"), config ?? "");
    expect(call("npx", ["tsc", "-p", "."])).toEqual({ status: 0, text: "" });
    const step = join(folder, "generated/my/step.ts");
    const text = readFileSync(step, "utf8");
    writeFileSync(step, text.replace("o.matmulNT(q, k,", "o.matmulNT(k, q,"));
    const wrong = call("npx", ["tsc", "-p", "."]);
    expect(wrong.status).toBe(2);
    expect(wrong.text).toMatch(/^generated\/my\/step\.ts\(\d+,\d+\): error TS2345/);
  },
  5 * minutesMs,
);

test(
  "installed globally, it makes a report, prints a command that goes on with a stopped run, and one that installs what `node` misses",
  () => {
    const [archive] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
    const prefix = join(folder, "global");
    const installed = call("npm", ["install", "--global", "--ignore-scripts", "--prefix", prefix, `./${archive}`]);
    expect(installed.status, installed.text).toBe(0);
    const elsewhere = mkdtempSync(join(tmpdir(), "ijepa-global-"));
    try {
      const shell = (command: string) =>
        spawnSync("sh", ["-c", command], {
          cwd: elsewhere,
          encoding: "utf8",
          env: { ...process.env, PATH: `${join(prefix, "bin")}:${process.env.PATH}` },
        });
      expect(shell("ijepa init my --minutes 0.05").status).toBe(0);
      const stopped = shell("ijepa run my.json -- --steps 1 --no-progress");
      expect(stopped.status, stopped.stderr).toBe(0);
      const [, again = ""] = /\nTo go on:\n {2}(.*)\n/.exec(stopped.stdout + stopped.stderr) ?? [];
      expect(again).toBe("ijepa run my.json -- --no-progress --resume");
      expect(shell(`${again} --steps 1`).status).toBe(0);
      const page = shell("ijepa report runs/my");
      expect(page.status, page.stdout + page.stderr).toBe(0);
      expect(shell("node generated/train.js")).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/^R100: .*npm install --ignore-scripts .*onnxruntime-node@/),
      });
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  },
  5 * minutesMs,
);
