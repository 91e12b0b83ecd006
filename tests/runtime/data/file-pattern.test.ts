import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { filesOfPattern, isMatch } from "../../../runtime/data/file-pattern";
import { temporaryFolder, writeText } from "./fixture";

let root = "";
const files = [
  "a/train-000000.tar",
  "a/train-000001.tar",
  "a/train-000010.tar",
  "a/val-0.tar",
  "a/.x.tar",
  "a/list.txt",
];
const more = ["b/data/train-0.tar", "odd/train-{0..1}.tar"];
beforeAll(async () => {
  const { mkdtemp } = await import("node:fs/promises");
  const { tmpdir } = await import("node:os");
  root = await mkdtemp(join(tmpdir(), "ijepa-pattern-"));
  for (const name of [...files, ...more]) await writeText(join(root, name), "");
});

const found = (given: string) => {
  const { where, names } = filesOfPattern({ root, given, what: "train", endings: [".tar"] });
  return [where.slice(root.length + 1), ...names];
};

test.each([
  ["a", ["a", "train-000000.tar", "train-000001.tar", "train-000010.tar", "val-0.tar"]],
  ["a/train-000001.tar", ["a", "train-000001.tar"]],
  ["a/train-{000000..000001}.tar", ["a", "train-000000.tar", "train-000001.tar"]],
  ["a/{val-0,train-000000}.tar", ["a", "val-0.tar", "train-000000.tar"]],
  ["a/train-*.tar", ["a", "train-000000.tar", "train-000001.tar", "train-000010.tar"]],
  ["a/train-00000?.tar", ["a", "train-000000.tar", "train-000001.tar"]],
  ["*/train-00000?.tar", ["", "a/train-000000.tar", "a/train-000001.tar"]],
  ["./b/*/*.tar", ["b", "data/train-0.tar"]],
  [
    "{a,b/data}/train-0*.tar",
    ["", "a/train-000000.tar", "a/train-000001.tar", "a/train-000010.tar", "b/data/train-0.tar"],
  ],
  ["a/train-{000000..000001}.{tar,tar}", ["a", "train-000000.tar", "train-000001.tar"]],
  // A file of that name is meant before the pattern is.
  ["odd/train-{0..1}.tar", ["odd", "train-{0..1}.tar"]],
])("%s", (given, want) => expect(found(given)).toEqual(want));

describe("what names nothing", () => {
  test.each([
    ["a/train-{000000..000002}.tar", "R121", /There is no file .*train-000002\.tar, of the train images/],
    ["a/test-*.tar", "R121", /There is no file .*test-\*\.tar/],
    ["nowhere/x.tar", "R121", /There is no file/],
    ["b", "R121", /\*\.tar/],
    ["a/train-{0..99999999}.tar", "R128", /more than 100000 files/],
    [`a/${"{a,b}".repeat(200)}.tar`, "R128|R121", /files|no file/],
  ])("%s: %s", (given, code, says) => {
    expect(() => found(given)).toThrow(says);
    expect(() => found(given)).toThrow(
      expect.objectContaining({ name: "UserError", code: expect.stringMatching(new RegExp(`^(${code})$`)) }),
    );
  });
});

test.each([
  ["abc", "a*c", true],
  ["abc", "*", true],
  ["abc", "a?c", true],
  ["abc", "ab", false],
  ["abc", "a*b", false],
  ["aXbXc", "a*b*c", true],
  ["", "*", true],
  ["", "?", false],
  ["a.tar", "*.tar", true],
  ["atar", "*.tar", false],
])("%j matches %j: %j", (name, pattern, want) => expect(isMatch(name, pattern)).toBe(want));

test("no pattern takes long", () => {
  expect(isMatch("a".repeat(250), `${"a*".repeat(120)}b`)).toBe(false);
});

test("temporary folders are named from where the pattern begins", async () => {
  const folder = await temporaryFolder();
  await writeText(join(folder, "x.tar"), "");
  expect(filesOfPattern({ root: "/", given: `${folder}/*.tar`, what: "train", endings: [".tar"] })).toEqual({
    where: folder,
    names: ["x.tar"],
  });
});
