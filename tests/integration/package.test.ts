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
