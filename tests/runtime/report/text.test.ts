import { describe, expect, it } from "vitest";
import { quoted, resumeCommand, STARTER_VARIABLE, starterOf, withoutFlags } from "../../../runtime/report/command";
import { doneText, summaryText } from "../../../runtime/report/summary";
import { durationText, rateText } from "../../../runtime/report/text";

describe("numbers for people", () => {
  const durations: readonly [ms: number, text: string][] = [
    [400, "0.4 s"],
    [42_000, "42 s"],
    [59_700, "1 min 00 s"],
    [185_000, "3 min 05 s"],
    [7_620_000, "2 h 07 min"],
    [3_599_900, "1 h 00 min"],
    [86_400_000 * 3 + 3_600_000 * 4, "3 d 04 h"],
    [Number.NaN, "?"],
  ];
  it.each(durations)("%f ms is %s", (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  const rates: readonly [rate: number, text: string][] = [
    [1234, "1230"],
    [56.78, "56.8"],
    [0.01234, "0.0123"],
    [Number.POSITIVE_INFINITY, "?"],
  ];
  it.each(rates)("%f per second is %s", (rate, text) => {
    expect(rateText(rate)).toBe(text);
  });
});

describe("commands to run again", () => {
  const cases: readonly [args: string[], kept: string[]][] = [
    [["--resume", "--steps", "5"], []],
    [["--steps=5", "--quiet"], ["--quiet"]],
    [
      ["--resume", "a.safetensors", "--run-dir", "my runs"],
      ["--run-dir", "my runs"],
    ],
  ];
  it.each(cases)("%j without --resume and --steps", (args, kept) => {
    expect(withoutFlags(args, ["--resume", "--steps"])).toEqual(kept);
  });

  it("keeps the other flags, quoted for a shell", () => {
    const args = ["--run-dir", "it's mine", "--steps", "5"];
    const given = { script: "/home/a/generated/x/train.js", args, cwd: "/home/a", starter: null };
    expect(resumeCommand(given)).toBe(`node generated/x/train.js --run-dir 'it'\\''s mine' --resume`);
    const starter = ["ijepa", "run", "my x.json", "--"];
    expect(resumeCommand({ ...given, starter })).toBe(`ijepa run 'my x.json' -- --run-dir 'it'\\''s mine' --resume`);
    expect(quoted("runs/a")).toBe("runs/a");
  });
});

it.each([
  [undefined, null],
  ["", null],
  ["[1]", null],
  ['{"a":1}', null],
  ['["ijepa","run"]', ["ijepa", "run"]],
])("a starter that is said as %j", (text, want) => {
  expect(starterOf({ [STARTER_VARIABLE]: text })).toEqual(want);
});

describe("the summary", () => {
  it("has the parts that there are", () => {
    const files = [
      { path: "runs/a/a-latest.safetensors", what: "weights" },
      { path: "runs/a/log.csv", what: "steps" },
    ];
    const next = [{ what: "To compare", command: "ijepa diff a b" }];
    expect(summaryText({ headline: "Done.", results: "none", files, next })).toBe(
      "Done.\n\nnone\n\n" +
        "Files\n  runs/a/a-latest.safetensors  weights\n  runs/a/log.csv               steps\n\n" +
        "Next\n  To compare:\n    ijepa diff a b",
    );
    expect(summaryText({ headline: "Done.", results: "none", files: [], next: [] })).toBe("Done.\n\nnone");
  });

  it("tells a resumed run from a whole one", () => {
    const timed = { imagesHere: 400, wallMs: 2000 };
    expect(doneText({ steps: 10, stepsHere: 10, ...timed })).toBe("Done: 10 steps in 2.0 s (200 images/s).");
    expect(doneText({ steps: 10, stepsHere: 4, ...timed })).toBe(
      "Done: 10 steps, the last 4 of them in 2.0 s (200 images/s).",
    );
    expect(doneText({ steps: 10, stepsHere: 0, ...timed })).toBe("All 10 steps were done before.");
  });
});
