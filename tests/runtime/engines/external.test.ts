import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { requireExternal, resolveExternal } from "../../../runtime/engines/external";
import { UserError } from "../../../runtime/errors";
import { installCommand, nativeVersions } from "../../../runtime/installs";

test("a package that is installed is found and loaded", () => {
  expect(resolveExternal("onnxruntime-node")).toContain("onnxruntime-node");
  expect(requireExternal("koffi")).toHaveProperty("load");
});

test("a command that is a link to a package elsewhere, as global ones are, finds what that package has", () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "ijepa-external-")));
  const [, script] = process.argv;
  try {
    const name = "only-in-that-package";
    const home = join(folder, "lib/node_modules/ijepa");
    mkdirSync(join(home, "node_modules", name), { recursive: true });
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(home, "node_modules", name, "index.js"), "module.exports = 3;");
    writeFileSync(join(home, "ijepa.js"), "");
    symlinkSync(join(home, "ijepa.js"), join(folder, "bin/ijepa"));
    process.argv[1] = join(folder, "bin/ijepa");
    expect(resolveExternal(name)).toBe(join(home, "node_modules", name, "index.js"));
    expect(requireExternal(name)).toBe(3);
  } finally {
    if (script !== undefined) process.argv[1] = script;
    rmSync(folder, { recursive: true });
  }
});

test("the versions that are named are those that ijepa depends on", () => {
  const manifest: { [K in "dependencies" | "optionalDependencies"]: Record<string, string> } = JSON.parse(
    readFileSync("package.json", "utf8"),
  );
  const dependencies = { ...manifest.dependencies, ...manifest.optionalDependencies };
  const names = Object.keys(nativeVersions);
  expect(nativeVersions).toEqual(Object.fromEntries(names.map((name) => [name, dependencies[name]])));
  expect(installCommand(["onnxruntime-node", "koffi"])).toBe(
    `npm install --ignore-scripts onnxruntime-node@${nativeVersions["onnxruntime-node"]} koffi@${nativeVersions.koffi}`,
  );
});

test("a package that is not installed is an error that names the command", () => {
  const call = () => requireExternal("ijepa-no-such-package");
  expect(call).toThrow(UserError);
  expect(call).toThrow(/npm install ijepa-no-such-package$/);
});

test("the packages of tfjs are named with the version that was tried, tfjs-node with the Nodes it has addons for", () => {
  const gpu = () => requireExternal("@tensorflow/tfjs-node-gpu");
  expect(gpu).toThrow(/npm install @tensorflow\/tfjs-node-gpu@4\.22\.0\n.*CUDA 11\.2.*Node 18 or 20/s);
});
