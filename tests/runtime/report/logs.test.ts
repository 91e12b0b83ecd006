import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { csvHeader, csvLine, openCsv } from "../../../runtime/report/csv";
import { openJsonl } from "../../../runtime/report/jsonl";

const inTemporary = (name: string): string => join(mkdtempSync(join(tmpdir(), "ijepa-log-")), name);
const row = { epoch: 2, iteration: 3, loss: 0.1234567, contextTokens: 68, targetTokens: 44, timeMs: 12.9 };

describe("the CSV log", () => {
  it("has the reference's columns and formats", () => {
    expect(csvHeader).toBe("epoch,itr,loss,mask-A,mask-B,time (ms)");
    expect(csvLine(row)).toBe("2,3,0.12346,68.00000,44.00000,12");
  });

  it("begins anew for a new run", async () => {
    const path = inTemporary("log.csv");
    writeFileSync(path, `${csvHeader}\n1,0,0.5,1,1,1\n`);
    (await openCsv(path, { stepsDone: 0, stepsPerEpoch: 5 })).append(row);
    expect(readFileSync(path, "utf8")).toBe(`${csvHeader}\n${csvLine(row)}\n`);
  });

  const rows = ["1,3,0.5,1,1,1", "1,4,0.5,1,1,1", "2,0,0.5,1,1,1", "2,1,0.5,1,1,1"];
  const cases: readonly [stepsDone: number, torn: string, kept: number][] = [
    [6, "", 3],
    [7, "", 4],
    [9, "2,2,0.4", 4],
    [5, "", 2],
  ];
  it.each(cases)("keeps the rows of the first %i steps (torn row %j)", async (stepsDone, torn, kept) => {
    const path = inTemporary("log.csv");
    writeFileSync(path, [csvHeader, ...rows, torn].join("\n"));
    await openCsv(path, { stepsDone, stepsPerEpoch: 5 });
    expect(readFileSync(path, "utf8")).toBe([csvHeader, ...rows.slice(0, kept), ""].join("\n"));
  });

  it("starts a log where a run goes on in a new folder", async () => {
    const path = inTemporary("log.csv");
    await openCsv(path, { stepsDone: 6, stepsPerEpoch: 5 });
    expect(readFileSync(path, "utf8")).toBe(`${csvHeader}\n`);
  });
});

describe("the JSON lines log", () => {
  it("keeps what happened up to the step that a run goes on from, and drops torn lines", async () => {
    const path = inTemporary("log.jsonl");
    const line = (step: number): string => JSON.stringify({ event: "checkpoint", step, path: "x" });
    writeFileSync(path, [line(2), line(4), line(6), '{"event":"step","st'].join("\n"));
    const log = await openJsonl(path, { stepsDone: 4 });
    log.append({ event: "checkpoint", step: 5, path: "y" });
    const steps = readFileSync(path, "utf8")
      .trimEnd()
      .split("\n")
      .map((text) => JSON.parse(text).step);
    expect(steps).toEqual([2, 4, 5]);
  });
});
