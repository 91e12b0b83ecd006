import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { cacheFolder } from "../../runtime/cache-folder";

const home = vi.hoisted((): { of: () => string } => ({ of: () => "/home/ana" }));
vi.mock(import("node:os"), async (original) => ({ ...(await original()), homedir: () => home.of() }));
beforeEach(() => {
  home.of = () => "/home/ana";
});

describe("the folder for what can be made anew", () => {
  test.each([
    [{}, "/home/ana/.cache/ijepa/xla"],
    [{ XDG_CACHE_HOME: "/caches" }, "/caches/ijepa/xla"],
    [{ XDG_CACHE_HOME: "" }, "/home/ana/.cache/ijepa/xla"],
  ])("%j", (env, folder) => {
    expect(cacheFolder("xla", env)).toBe(folder);
  });

  test("of a user whom the system does not know, in a container", () => {
    home.of = () => {
      throw new Error("A system error occurred: uv_os_homedir returned ENOENT (no such file or directory)");
    };
    expect(cacheFolder("xla", {})).toBe(join(tmpdir(), ".cache/ijepa/xla"));
  });
});
