import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { indexCacheIn, openIndexCache } from "../../runtime/data/index-cache";
import { openProgramCache } from "../../runtime/engines/xla/cache";
import { type CacheOptions, cacheKey, fileCacheIn } from "../../runtime/file-cache";
import { openFeatureCache } from "../../tools/evaluate/feature-cache";

const root = mkdtempSync(join(tmpdir(), "ijepa-cache-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const kind = { extension: ".kept", mostBytes: 2 ** 30 };
const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i % 251);
const notes: string[] = [];
const cacheIn = (folder: string, mostBytes = kind.mostBytes) =>
  fileCacheIn(folder, { ...kind, mostBytes }, (note) => notes.push(note));
const entry = (key: string) => ({ key, what: "numbers", read: (whole: Uint8Array) => whole });

test("what is put in comes out again, also of a folder that was not there, and nothing else lies there", () => {
  const folder = join(root, "a", "b");
  const cache = cacheIn(folder);
  expect(cache.get(entry("x"))).toBeUndefined();
  cache.put("x", bytes.subarray(0, 1000), bytes.subarray(1000));
  const found = cacheIn(folder).get(entry("x"));
  expect(found).toEqual(bytes);
  expect(found?.byteOffset).toBe(0);
  expect(readdirSync(folder)).toEqual(["x.kept"]);
  expect(notes).toEqual([]);
});

describe("a file that is not whole is as good as none, and that is said", () => {
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
    const file = join(folder, "x.kept");
    writeFileSync(file, damage(readFileSync(file)));
    notes.length = 0;
    expect(cache.get(entry("x"))).toBeUndefined();
    expect(notes).toEqual(["The file in the cache with numbers was damaged; it is made anew."]);
    cache.put("x", bytes);
    expect(cache.get(entry("x"))).toEqual(bytes);
  });

  test.each([
    ["is of another form", () => undefined],
    [
      "cannot be read",
      () => {
        throw new RangeError("of its reader");
      },
    ],
  ])("%s", (_, read) => {
    const cache = cacheIn(join(root, "form"));
    cache.put("x", bytes);
    notes.length = 0;
    expect(cache.get({ key: "x", what: "numbers", read })).toBeUndefined();
    expect(notes).toHaveLength(1);
  });
});

test("a folder that cannot be written is no error", () => {
  const file = join(root, "a file");
  writeFileSync(file, "");
  const cache = cacheIn(join(file, "below"));
  cache.put("x", bytes);
  expect(cache.get(entry("x"))).toBeUndefined();
  // A folder in the place of a file.
  mkdirSync(join(root, "taken", "x.kept"), { recursive: true });
  cacheIn(join(root, "taken")).put("x", bytes);
  expect(cacheIn(join(root, "taken")).get(entry("x"))).toBeUndefined();
  expect(readdirSync(join(root, "taken"))).toEqual(["x.kept"]);
});

test("over its limit, what was not used for longest goes", () => {
  const folder = join(root, "full");
  const cache = cacheIn(folder, 3 * 5100);
  const long = (day: number) => new Date(Date.UTC(2026, 0, day));
  for (const [i, key] of ["a", "b", "c"].entries()) {
    cache.put(key, bytes);
    utimesSync(join(folder, `${key}.kept`), long(1 + i), long(1 + i));
  }
  // Reading is use.
  expect(cache.get(entry("a"))).toEqual(bytes);
  cache.put("d", bytes);
  expect(readdirSync(folder).sort()).toEqual(["a.kept", "c.kept", "d.kept"]);
});

test("what a killed writer left is removed, what one writes now and files of others are not", () => {
  const folder = join(root, "left");
  mkdirSync(folder);
  for (const name of ["y.0123.draft", "z.4567.draft", "notes.txt"]) writeFileSync(join(folder, name), bytes);
  const long = new Date("2026-01-02");
  for (const name of ["y.0123.draft", "notes.txt"]) utimesSync(join(folder, name), long, long);
  cacheIn(folder, 100).put("x", bytes);
  expect(readdirSync(folder).sort()).toEqual(["notes.txt", "z.4567.draft"]);
});

interface OpenedCache {
  put(): void;
  get(): unknown;
}
const opened: readonly [string, string, string, (options: CacheOptions) => OpenedCache][] = [
  [
    "IJEPA_XLA_CACHE",
    "xla",
    "x.xla",
    (options) => {
      const cache = openProgramCache(options);
      return { put: () => cache.put("x", bytes), get: () => cache.get(entry("x")) };
    },
  ],
  [
    "IJEPA_INDEX_CACHE",
    "index",
    `${cacheKey(["1", "folder", "/data"])}.index`,
    (options) => {
      const cache = openIndexCache(options);
      const about = ["folder", "/data"];
      const is = (value: unknown): value is readonly number[] => Array.isArray(value);
      return { put: () => cache.put(about, [1, 2]), get: () => cache.get(about, is) };
    },
  ],
  [
    "IJEPA_FEATURE_CACHE",
    "features",
    "x.features",
    (options) => {
      const cache = openFeatureCache(options);
      const features = { images: 2, dimension: 2, values: Float32Array.of(1, 2, 3, 4) };
      return { put: () => cache.put("x", features), get: () => cache.get("x", "train") };
    },
  ],
];

describe.each(opened)("%s", (variable, name, file, open) => {
  const xdg = join(root, `xdg-${name}`);

  test.each([
    ["names a folder", { [variable]: join(root, `named-${name}`) }, join(root, `named-${name}`)],
    ["left out is the user's", { XDG_CACHE_HOME: xdg }, join(xdg, "ijepa", name)],
  ])("%s", (_, env, folder) => {
    const cache = open({ env });
    expect(cache.get()).toBeUndefined();
    cache.put();
    expect(statSync(join(folder, file)).size).toBeGreaterThan(32);
    expect(cache.get()).toBeDefined();
  });

  test("off is none", () => {
    const cache = open({ env: { [variable]: "off", XDG_CACHE_HOME: join(root, "off") } });
    cache.put();
    expect(cache.get()).toBeUndefined();
    expect(existsSync(join(root, "off"))).toBe(false);
  });

  test("says what was damaged", () => {
    const said: string[] = [];
    const folder = join(root, `said-${name}`);
    const cache = open({ folder, note: (sentence) => said.push(sentence) });
    cache.put();
    const path = join(folder, file);
    writeFileSync(path, readFileSync(path).fill(7, 33, 34));
    expect(cache.get()).toBeUndefined();
    expect(said.join()).toMatch(/^The file in the cache with .+ was damaged; it is made anew\.$/);
  });
});

test("an index of another form is none", () => {
  const cache = indexCacheIn(join(root, "index-form"));
  cache.put(["a"], { some: "thing" });
  expect(cache.get(["a"], (value): value is string => typeof value === "string")).toBeUndefined();
});

test("keys tell lists of texts apart, whatever stands in them", () => {
  const keys = [["ab", "c"], ["a", "bc"], ["abc"], ["ab", "c", ""]].map(cacheKey);
  expect(new Set(keys).size).toBe(keys.length);
  expect(cacheKey(["ab", "c"])).toBe(keys[0]);
});
