import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { nothingToResume } from "../../runtime/errors";
import { errorText } from "../../runtime/trainer";

const child = fileURLToPath(new URL("trainer-child.ts", import.meta.url));
const empty = mkdtempSync(join(tmpdir(), "ijepa-trainer-"));

describe("the command line of a trainer", () => {
  const cases: readonly [args: string[], code: number, stdout: RegExp, stderr: RegExp][] = [
    [["--version"], 0, /^tiny, compiled by ijepa 0\.1\.0/, /^$/],
    [["--help"], 0, /--resume \[latest\|auto\|path\]/, /^$/],
    [["--stepz", "3"], 2, /^$/, /unknown option '--stepz'\n\(Did you mean --steps\?\)/],
    [["--run-dir", empty, "--resume"], 1, /^$/, /^R112: --resume: there is no checkpoint in .*\n$/],
  ];
  it.each(cases)("%j ends with %i", (args, code, stdout, stderr) => {
    const ended = spawnSync(process.execPath, ["--import", "tsx", child, ...args], { encoding: "utf8" });
    expect(ended.status, ended.stderr).toBe(code);
    expect(ended.stdout).toMatch(stdout);
    expect(ended.stderr).toMatch(stderr);
  });
});

describe("what a person sees of an error", () => {
  it("is the message where it is theirs to mend", () => {
    const error = nothingToResume({ directory: "runs/a" });
    expect(errorText(error)).toBe(`R112: ${error.message}`);
  });

  it("is the trace where it is ours", () => {
    expect(errorText(new Error("internal: no such thing"))).toMatch(
      /^This is a fault of ijepa, .*report.*\nError: internal: no such thing\n {4}at /,
    );
  });
});
