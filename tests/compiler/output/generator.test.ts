/** The hash of the generator changes with what decides a trainer, and with nothing else. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { generatorHash, hashOfPackage } from "../../../compiler/output/generator";

const root = mkdtempSync(join(tmpdir(), "ijepa-generator-"));
afterAll(() => rmSync(root, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

beforeEach(() => {
  rmSync(root, { recursive: true });
  write("package.json", '{ "dependencies": { "a": "1.0.0" }, "scripts": {} }');
  write("compiler/emit/emit.ts", "emit");
  write("commands/main.ts", "cli");
  write("runtime/trainer.ts", "trainer");
  write("templates/step.ts.hbs", "step");
  write("schema/experiment.schema.json", "{}");
});

test.each([
  ["the compiler", "compiler/emit/emit.ts", true],
  ["a file more", "compiler/emit/more.ts", true],
  ["the runtime", "runtime/trainer.ts", true],
  ["a template", "templates/step.ts.hbs", true],
  ["the schema", "schema/experiment.schema.json", true],
  ["a command", "commands/main.ts", false],
  ["a draft of a write under way", "runtime/trainer.ts.123.tmp", false],
  ["what is not in the package", "tests/x.ts", false],
])("%s", (_, path, changes) => {
  const before = hashOfPackage(root);
  write(path, "changed");
  expect(hashOfPackage(root) !== before).toBe(changes);
});

test("a file that moves, and text that moves from one to the next", () => {
  write("runtime/a.ts", "xy");
  write("runtime/b.ts", "z");
  const before = hashOfPackage(root);
  write("runtime/a.ts", "x");
  write("runtime/b.ts", "yz");
  expect(hashOfPackage(root)).not.toBe(before);
});

test("the packages that trainers are made with, and no script", () => {
  const before = hashOfPackage(root);
  write("package.json", '{ "dependencies": { "a": "1.0.0" }, "scripts": { "x": "y" } }');
  expect(hashOfPackage(root)).toBe(before);
  write("package.json", '{ "dependencies": { "a": "1.0.1" }, "scripts": {} }');
  expect(hashOfPackage(root)).not.toBe(before);
});

test("a package without the compiler's sources has its bundle", () => {
  rmSync(join(root, "compiler"), { recursive: true });
  write("dist/ijepa.js", "one");
  const before = hashOfPackage(root);
  write("dist/ijepa.js", "two");
  expect(hashOfPackage(root)).not.toBe(before);
});

test("of this package", () => {
  expect(generatorHash()).toMatch(/^[0-9a-f]{64}$/);
  expect(generatorHash()).toBe(generatorHash());
});
