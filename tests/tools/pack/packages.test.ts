import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { specFromText } from "../../../compiler/spec/load";
import { needsOf, takesPlugin } from "../../../tools/pack/needs";
import { nativePackages } from "../../../tools/pack/pack";
import { filesOfPackages, packageFolder } from "../../../tools/pack/packages";

const folder = mkdtempSync(join(tmpdir(), "ijepa-packages-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** An installation as npm lays it out. */
function install(files: Readonly<Record<string, string | object>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), typeof content === "string" ? content : JSON.stringify(content));
  }
}

install({
  "node_modules/engine/package.json": { dependencies: { a: "1", b: "1" }, optionalDependencies: { absent: "1" } },
  "node_modules/engine/index.js": "",
  "node_modules/engine/index.d.ts": "",
  "node_modules/engine/README.md": "",
  "node_modules/engine/LICENSE": "",
  "node_modules/a/package.json": { peerDependencies: { b: "1" } },
  "node_modules/b/package.json": { dependencies: { "@scope/c": "2" } },
  // Round in a circle, and another version of a.
  "node_modules/@scope/c/package.json": { dependencies: { b: "1", a: "2" } },
  "node_modules/@scope/c/node_modules/a/package.json": {},
  "node_modules/@scope/c/node_modules/a/two.js": "",
});

test("what a package depends on goes along, another version of it below the one that wants it", () => {
  const found = packageFolder("engine", folder);
  expect(filesOfPackages(new Map([["engine", found ?? ""]])).map(({ to }) => to)).toEqual([
    "node_modules/@scope/c/node_modules/a/package.json",
    "node_modules/@scope/c/node_modules/a/two.js",
    "node_modules/@scope/c/package.json",
    "node_modules/a/package.json",
    "node_modules/b/package.json",
    "node_modules/engine/LICENSE",
    "node_modules/engine/index.js",
    "node_modules/engine/package.json",
  ]);
});

test("a package is looked for in the folders above, then in the others", () => {
  expect(packageFolder("a", join(folder, "deep", "er"))).toBe(join(folder, "node_modules/a"));
  expect(packageFolder("a", tmpdir(), [join(folder, "node_modules")])).toBe(join(folder, "node_modules/a"));
  expect(packageFolder("absent", folder)).toBeUndefined();
});

function specOf(text: object) {
  const loaded = specFromText({ text: JSON.stringify(text), file: "x.json" });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  return loaded.spec;
}

const shapes = { source: "shapes", trainImages: 4096 };
const images = { source: "folder", train: "t", images: 4096 };
const cases: readonly [what: string, spec: object, packages: readonly string[]][] = [
  ["rendered scenes", { data: shapes }, ["onnxruntime-node", "koffi"]],
  ["image files", { data: images }, ["onnxruntime-node", "koffi", "sharp", "@julusian/jpeg-turbo", "koffi"]],
  ["another engine", { data: shapes, hardware: { engine: "tfjs", device: "wasm" } }, ["@tensorflow/tfjs-backend-wasm"]],
];
test.each(cases)("needed by a trainer: %s", (_, spec, packages) => {
  expect(needsOf(specOf(spec)).map((need) => need.packages[0])).toEqual(packages);
});

describe("native packages", () => {
  test("only those of this platform", () => {
    const { roots, missing } = nativePackages(needsOf(specOf({ data: images })), folder);
    expect(missing).toEqual([]);
    const paths = filesOfPackages(roots).map(({ to }) => to);
    const binaries = paths.filter((path) => /\.(node|dll|dylib)$|\.so(\.|$)/.test(path));
    expect(binaries.length).toBeGreaterThanOrEqual(5);
    for (const path of binaries) expect(path).toContain(process.platform);
    for (const path of binaries) expect(path).toContain(process.arch);
    expect(paths.some((path) => /adm-zip|cmake|\.d\.ts$/.test(path))).toBe(false);
    const ofJpeg = paths.filter((path) => path.includes("julusian")).map((path) => basename(path));
    const library = process.platform === "linux" ? ["libturbojpeg.so.0"] : [];
    expect(ofJpeg).toEqual(["LICENSE", "package.json", ...library]);
  });

  test("the first of several that is installed; what is missing keeps its command", () => {
    const needs = [
      { packages: ["absent", "engine"], install: "npm install absent" },
      { packages: ["gone"], install: "npm install gone" },
    ] as const;
    const optional = { packages: ["faster"], install: "npm install faster", isOptional: true } as const;
    const { roots, missing } = nativePackages([...needs, optional], folder);
    expect([...roots]).toEqual([["engine", join(folder, "node_modules/engine")]]);
    expect(missing).toEqual([needs[1]]);
  });
});

test("the default engine takes no plugin", () => {
  expect(takesPlugin("onnx")).toBe(false);
});
