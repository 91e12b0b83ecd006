import { expect, test } from "vitest";
import { errors, exitCode } from "../../../compiler/diagnostics/catalogue";

const kinds = Object.values(errors);

test("every code is one error's", () => {
  expect(new Set(kinds.map(({ code }) => code)).size).toBe(kinds.length);
  for (const { code, meaning } of kinds) {
    expect(code).toMatch(/^(E[1-59]|W3)\d\d$/);
    expect(meaning).toMatch(/\.$/);
  }
});

test.each([
  [[], 0],
  [["E201"], 1],
  [["E106"], 1],
  [["E101"], 2],
  [["E201", "E101"], 2],
  [["E901"], 2],
])("%j ends with %i", (codes, want) => {
  expect(exitCode(codes.map((code) => ({ code, severity: "error" })))).toBe(want);
});
