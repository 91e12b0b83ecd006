import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LogTail } from "../../../runtime/report/log-tail";

const file = (): string => join(mkdtempSync(join(tmpdir(), "ijepa-tail-")), "log.jsonl");

describe("the tail of a log", () => {
  it("gives each line once, when it is whole", async () => {
    const path = file();
    const tail = new LogTail(path);
    expect((await tail.read()).lines).toEqual([]);
    appendFileSync(path, "a\nb\nc");
    expect((await tail.read()).lines).toEqual(["a", "b"]);
    expect((await tail.read()).lines).toEqual([]);
    appendFileSync(path, "d\n");
    expect((await tail.read()).lines).toEqual(["cd"]);
  });

  it("does not break a sign that is written in two parts", async () => {
    const path = file();
    const tail = new LogTail(path);
    const bytes = Buffer.from("…\n");
    appendFileSync(path, bytes.subarray(0, 2));
    expect((await tail.read()).lines).toEqual([]);
    appendFileSync(path, bytes.subarray(2));
    expect((await tail.read()).lines).toEqual(["…"]);
  });

  it("reads long logs in parts", async () => {
    const path = file();
    const lines = Array.from({ length: 60_000 }, (_, i) => `${i} ${"x".repeat(90)}`);
    writeFileSync(path, `${lines.join("\n")}\n`);
    const tail = new LogTail(path);
    const found: string[] = [];
    let parts = 0;
    for (let hasMore = true; hasMore; parts++) {
      const part = await tail.read();
      found.push(...part.lines);
      hasMore = part.hasMore;
    }
    expect(parts).toBe(2);
    expect(found).toEqual(lines);
  });

  it("begins anew where the log does", async () => {
    const path = file();
    const tail = new LogTail(path);
    appendFileSync(path, "one\ntwo\nthree");
    await tail.read();
    writeFileSync(path, "four\n");
    expect(await tail.read()).toEqual({ lines: ["four"], isNew: true, hasMore: false });
    rmSync(path);
    expect((await tail.read()).lines).toEqual([]);
  });
});
