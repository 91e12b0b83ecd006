/** What a rank leaves behind, whenever it is killed. */
import { appendFileSync, mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type Beat, openBeatFolder } from "../../../../runtime/ranks/watch/beat";

const beat: Beat = {
  rank: 2,
  host: "host",
  pid: 17,
  machine: "m",
  count: 1,
  state: "running",
  reason: "",
  culprit: null,
  exitCode: 0,
  doing: "step 12",
  limitMs: 1000,
  entered: 3,
};

it("is read as it was written, a shorter one after a longer one too", () => {
  const folder = join(mkdtempSync(join(tmpdir(), "ijepa-beat-")), "ranks");
  const beats = openBeatFolder(folder, 2);
  expect(beats.read(2)).toBeNull();
  for (const reason of ["", "ü".repeat(1500), "short"]) {
    beats.write({ ...beat, reason });
    expect(beats.read(2)).toEqual({ ...beat, reason });
  }
});

it("is overwritten in place and never cut short, so that no moment has an empty file", () => {
  const folder = join(mkdtempSync(join(tmpdir(), "ijepa-beat-")), "ranks");
  const beats = openBeatFolder(folder, 2);
  const path = join(folder, "2");
  beats.write(beat);
  // What lies behind a beat stays there unless the file is cut short.
  appendFileSync(path, " ");
  const { ino, size } = statSync(path);
  beats.write({ ...beat, count: 2 });
  expect(statSync(path)).toMatchObject({ ino, size });
  expect(beats.read(2)?.count).toBe(2);
});
