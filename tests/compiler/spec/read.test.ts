import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { oneLine } from "../../../compiler/diagnostics/diagnostic";
import { parseSpec, readSpec } from "../../../compiler/spec/read";
import { placedComplaints } from "./fixture";

const folder = mkdtempSync(join(tmpdir(), "ijepa-read-"));
afterAll(() => rmSync(folder, { recursive: true }));

function complaintsOfFile(name: string): string[] {
  const read = readSpec(join(folder, name));
  return read.ok ? [] : read.diagnostics.map((one) => oneLine(one).replaceAll(`${folder}/`, ""));
}

describe("files", () => {
  writeFileSync(join(folder, "quickstart.json"), "{}");
  writeFileSync(join(folder, "utf16.json"), Buffer.from("\uFEFF{}", "utf16le"));
  writeFileSync(join(folder, "empty.json"), "");
  writeFileSync(join(folder, "bom.json"), '\uFEFF{ "seed": 1 }');
  writeFileSync(join(folder, "large.json"), " ".repeat(1_000_001));
  mkdirSync(join(folder, "folder.json"));

  test.each([
    ["quikstart.json", "quikstart.json E101 there is no such file. Did you mean `quickstart.json`?"],
    ["other/where.json", "other/where.json E101 there is no such file"],
    ["quickstart.json/x.json", "quickstart.json/x.json E101 there is no such file"],
    ["folder.json", "folder.json E102 is a folder; want the JSON file of one experiment"],
    ["utf16.json", "utf16.json E104 is not UTF-8 text. Save it as UTF-8."],
    ["empty.json", 'empty.json E105 is empty; want an object, e.g. { "data": { "source": "shapes" } }'],
    ["large.json", "large.json E109 is too large for a spec; want at most 1000000 bytes"],
  ])("%s", (name, want) => {
    expect(complaintsOfFile(name)).toEqual([want]);
  });

  test("a byte order mark is no part of the text", () => {
    expect(readSpec(join(folder, "bom.json"))).toMatchObject({
      ok: true,
      value: { seed: 1 },
      source: { text: '{ "seed": 1 }' },
    });
  });
});

describe("syntax", () => {
  test.each([
    ["// nothing here\n", 'x.json E105 is empty; want an object, e.g. { "data": { "source": "shapes" } }'],
    ['{ "seed": 1, }', "x.json:1:14 E106 a comma before the closing bracket. Remove the comma."],
    [
      '{\n  "seed": 1\n  "loss": "mse"\n}',
      'x.json:3:3 E106 a comma is missing; found `"loss"`; want a comma between two entries',
    ],
    ['{ "seed" 1 }', "x.json:1:10 E106 a colon is missing; found `1`; want a colon between key and value"],
    ['{ "seed": }', "x.json:1:11 E106 a value is missing; found `}`; want a value after the key or the comma"],
    [
      "{ seed: 1 }",
      "x.json:1:3 E106 is not JSON; found `seed`; want a text in double quotes, a number, true, false or null",
    ],
    ['{ "seed": 1', "x.json:1:12 E106 an object is not closed; found the end of the file; want `}`"],
    ['{ "image": { "mean": [1, 2 } }', "x.json:1:28 E106 a list is not closed; found `}`; want `]`"],
    [
      '{ "loss": "mse }\n',
      'x.json:1:11 E106 a text is not closed; found `"mse }`; want a double quote on the same line',
    ],
    [
      '{ "loss": "m\\q" }',
      'x.json:1:11 E106 is not an escape of JSON; found `"m\\q"`; want `\\\\` for a backslash, `\\"` for a quote',
    ],
    ["{} {}", "x.json:1:4 E106 something follows the end of the spec; found `{`; want the end of the file"],
    ['{ "seed": 1,\n  "loss": "mse",\n  "seed": 2 }', "x.json:3:3 E107 seed: stands twice. The first is on line 1."],
    [
      '{ "a": 1, "a": 2, "a": 3 }',
      "x.json:1:11 E107 a: stands twice. The first is on line 1.",
      "x.json:1:19 E107 a: stands twice. The first is on line 1.",
    ],
    ["[".repeat(100_000), "x.json:1:65 E108 is nested more than 64 deep"],
  ])("syntax %#", (text, ...want) => {
    expect(placedComplaints(text)).toEqual(want);
  });

  test("comments stand anywhere", () => {
    expect(parseSpec({ file: "x.json", text: '/* a */ { // b\n "seed": /* c */ 1 }' })).toMatchObject({
      ok: true,
      value: { seed: 1 },
    });
  });

  test.each(["\n", "\r\n", "\r"])("places count lines that end with %j", (end) => {
    expect(placedComplaints(["{", '  "a": 1,', '  "a": 2', "}"].join(end))).toEqual([
      "x.json:3:3 E107 a: stands twice. The first is on line 2.",
    ]);
  });
});
