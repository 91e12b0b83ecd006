import { expect, test } from "vitest";
import { requireExternal, resolveExternal } from "../../../runtime/engines/external";
import { UserError } from "../../../runtime/errors";

test("a package that is installed is found and loaded", () => {
  expect(resolveExternal("onnxruntime-node")).toContain("onnxruntime-node");
  expect(requireExternal("koffi")).toHaveProperty("load");
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
