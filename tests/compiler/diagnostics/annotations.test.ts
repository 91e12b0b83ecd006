import { afterEach, expect, test, vi } from "vitest";
import { annotationLine, annotationsOf } from "../../../compiler/diagnostics/annotations";
import { errors } from "../../../compiler/diagnostics/catalogue";
import { unplaced } from "../../../compiler/diagnostics/diagnostic";
import { specFromText } from "../../../compiler/spec/load";

afterEach(() => vi.unstubAllEnvs());

function annotations(text: string, file = "a/x.json"): string {
  const loaded = specFromText({ text, file });
  return loaded.ok ? "" : annotationsOf(loaded.diagnostics);
}

test("one line for a problem, at its place", () => {
  expect(annotations('{\n "data": { "source": "shapes" },\n "encoder": { "size": "tini" }\n}')).toBe(
    "::error file=a/x.json,line=3,col=23,title=E205::encoder.size: not one of the choices%0A" +
      'found "tini"%0Awant "tiny", "small", "base", "large", "huge" or "giant"%0ADid you mean `tiny`?\n',
  );
});

test.each([
  ["a:b,c%.json", "50 % of\r\nit: a, b", "::error file=a%3Ab%2Cc%25.json,line=1,title=E1::50 %25 of%0D%0Ait: a, b\n"],
  ["x.json", "::error::not mine", "::error file=x.json,line=1,title=E1::::error::not mine\n"],
])("%j, %j", (file, message, want) => {
  expect(annotationLine({ file, line: 1, column: null, title: "E1", message })).toBe(want);
});

test("a problem of the command line has no file", () => {
  expect(annotationsOf([unplaced(null, errors.badUsage({ what: "no such option", hint: "Look." }))])).toBe(
    "::error title=E901::no such option%0ALook.\n",
  );
});

test("a file is named from the top of the repository", () => {
  vi.stubEnv("GITHUB_WORKSPACE", process.cwd().replace(/\/[^/]*$/, ""));
  const folder = process.cwd().split("/").at(-1) ?? "";
  expect(annotations("", "a/x.json")).toContain(`file=${folder}/a/x.json,`);
});

test("a spec can not end its annotation", () => {
  const hostile = '{ "data": { "source": "shapes" }, "a\\n::set-env name=X::y": 1 }';
  expect(annotations(hostile).match(/\n/g)).toHaveLength(1);
});
