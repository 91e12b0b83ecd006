import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as errors from "../../runtime/errors";
import { trainerErrors } from "../../scripts/trainer-errors";

/** A folder of two files, the first of which is right. */
const made = (text: string): string => {
  const folder = mkdtempSync(join(tmpdir(), "ijepa-errors-"));
  writeFileSync(join(folder, "a.ts"), `/** Good. */ export function good() { return new UserError("R109", ""); }`);
  writeFileSync(join(folder, "b.ts"), text);
  return folder;
};

describe("the errors of a trainer", () => {
  it("are all on the page, each with its code and a sentence", () => {
    const found = trainerErrors();
    const functions = Object.entries(errors).filter(([name]) => name !== "UserError");
    expect(found).toHaveLength(functions.length);
    for (const { code, meaning } of found) {
      expect(code).toMatch(/^R[12]\d\d$/);
      expect(meaning).toMatch(/^[A-Z`].*\.$/);
    }
    expect(found.map(({ code }) => code)).toContain(errors.floorMetricUnknown({ flag: "x@1=2", known: [] }).code);
  });

  const cases: readonly [what: string, text: string, says: string][] = [
    ["no comment", `export function a() { return new UserError("R101", ""); }`, "no comment above a"],
    [
      "no code",
      `/** When. */\nexport function a() { return new UserError(code, ""); }`,
      "a of runtime/errors makes not",
    ],
    ["one code twice", `/** B. */ export function b() { return new UserError("R109", ""); }`, "the code R109"],
  ];
  it.each(cases)("can not have %s", (_, text, says) => {
    expect(() => trainerErrors(made(text))).toThrow(says);
  });
});
