import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { cacheIn, cacheKey, openCache } from "../../../../runtime/engines/xla/cache";

const root = mkdtempSync(join(tmpdir(), "ijepa-cache-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i % 251);

test("what is put in comes out again, also of a folder that was not there, and nothing else lies there", () => {
  const folder = join(root, "a", "b");
  const cache = cacheIn(folder);
  expect(cache.get("x")).toBeUndefined();
  cache.put("x", bytes);
  expect(cacheIn(folder).get("x")).toEqual(bytes);
  expect(readdirSync(folder)).toEqual(["x.xla"]);
});

describe("a file that is not whole is as good as none", () => {
  test.each([
    ["cut short", (file: Buffer) => file.subarray(0, 1000)],
    ["cut within its hash", (file: Buffer) => file.subarray(0, 10)],
    ["empty", () => Buffer.alloc(0)],
    ["changed in one byte", (file: Buffer) => file.map((byte, i) => (i === 2000 ? byte ^ 1 : byte))],
    ["longer", (file: Buffer) => Buffer.concat([file, Buffer.from("x")])],
  ])("%s", (_, damage) => {
    const folder = join(root, "damaged");
    const cache = cacheIn(folder);
    cache.put("x", bytes);
    const file = join(folder, "x.xla");
    writeFileSync(file, damage(readFileSync(file)));
    expect(cache.get("x")).toBeUndefined();
    cache.put("x", bytes);
    expect(cache.get("x")).toEqual(bytes);
  });
});

test("a folder that cannot be written is no error", () => {
  const file = join(root, "a file");
  writeFileSync(file, "");
  const cache = cacheIn(join(file, "below"));
  cache.put("x", bytes);
  expect(cache.get("x")).toBeUndefined();
});

test.each([
  [{ IJEPA_XLA_CACHE: join(root, "named") }, join(root, "named", "x.xla")],
  [{ XDG_CACHE_HOME: join(root, "xdg") }, join(root, "xdg", "ijepa", "xla", "x.xla")],
])("%j: %s", (env, file) => {
  openCache(env).put("x", bytes);
  expect(statSync(file).size).toBe(bytes.length + 32);
});

test("off is none", () => {
  const off = { IJEPA_XLA_CACHE: "off", XDG_CACHE_HOME: join(root, "off") };
  openCache(off).put("x", bytes);
  expect(openCache(off).get("x")).toBeUndefined();
  expect(existsSync(join(root, "off"))).toBe(false);
});

test("keys tell lists of texts apart, whatever stands in them", () => {
  const keys = [["ab", "c"], ["a", "bc"], ["abc"], ["ab", "c", ""]].map(cacheKey);
  expect(new Set(keys).size).toBe(keys.length);
  expect(cacheKey(["ab", "c"])).toBe(keys[0]);
});
