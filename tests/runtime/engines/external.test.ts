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
  expect(call).toThrow(/npm install .*ijepa-no-such-package/);
});
