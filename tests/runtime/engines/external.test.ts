import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { requireExternal, resolveExternal } from "../../../runtime/engines/external";
import { UserError } from "../../../runtime/errors";
import { installCommand, nativeVersions } from "../../../runtime/installs";

test("a package that is installed is found and loaded", () => {
  expect(resolveExternal("onnxruntime-node")).toContain("onnxruntime-node");
  expect(requireExternal("koffi")).toHaveProperty("load");
});

test("the versions that are named are those that ijepa depends on", () => {
  const { dependencies }: { dependencies: Record<string, string> } = JSON.parse(readFileSync("package.json", "utf8"));
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
