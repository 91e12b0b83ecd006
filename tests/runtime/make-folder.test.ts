/** Folders are made with those above them, and where the system does not make one that is an error and no wait. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { makeFolder } from "../../runtime/make-folder";

const place = mkdtempSync(join(tmpdir(), "ijepa-folder-"));
afterAll(() => rmSync(place, { recursive: true }));

test("with those above it, and again", () => {
  const path = join(place, "a/b/c");
  makeFolder(path);
  makeFolder(path);
  expect(existsSync(path)).toBe(true);
});

test.each([["file"], ["file/below"]])("%s is no folder", (path) => {
  writeFileSync(join(place, "file"), "");
  expect(() => makeFolder(join(place, path))).toThrow(/EEXIST|ENOTDIR/);
});

// Node's own `recursive` never returns from this.
test.runIf(existsSync("/proc/self"))("where the system makes none", () => {
  expect(() => makeFolder("/proc/ijepa/x")).toThrow(/ENOENT/);
});
