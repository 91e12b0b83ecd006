/** What the script says where it cannot build. That it builds is seen with tfjs-node.test.ts, where it has built. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { platform, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "ijepa-tfjs-node-"));
afterAll(() => rmSync(folder, { recursive: true }));

function build(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/build-tfjs-node.mjs", ...args], {
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  return { status, stdout, stderr };
}

test("--help is the head of the script", () => {
  const { status, stdout } = build(["--help"]);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^Builds the native part of @tensorflow\/tfjs-node/);
  expect(stdout).toMatch(/^ {2}--wheel FILE /m);
});

test.runIf(platform() === "linux")("without a compiler", () => {
  const { status, stderr } = build(["--folder", folder], { CXX: "no-such-compiler" });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^The C\+\+ compiler no-such-compiler does not run\. Install one/);
});

test.runIf(platform() === "linux")("with a file that is no wheel", () => {
  const fake = join(folder, "node_modules", "@tensorflow", "tfjs-node");
  mkdirSync(fake, { recursive: true });
  writeFileSync(join(fake, "package.json"), JSON.stringify({ name: "@tensorflow/tfjs-node", version: "4.22.0" }));
  const wheel = join(folder, "tensorflow.whl");
  writeFileSync(wheel, "This is a text, and longer than the end of a ZIP file would be.");
  // Any program that says its version will do for a compiler: it does not come to that.
  const args = ["--folder", folder, "--cache", join(folder, "cache"), "--wheel", wheel];
  const { status, stderr } = build(args, { CXX: process.execPath });
  expect(status).toBe(1);
  expect(stderr).toMatch(/tensorflow\.whl is not tensorflow.*, which was tried; going on with it\./);
  expect(stderr).toMatch(/tensorflow\.whl is no wheel: /);
});
