import { describe, expect, it } from "vitest";
import type { Beat } from "../../../../runtime/ranks/watch/beat";
import { judge, type Peer, type Watching } from "../../../../runtime/ranks/watch/judge";

const beat: Beat = {
  rank: 1,
  host: "node2",
  pid: 4711,
  machine: "m",
  count: 9,
  state: "running",
  reason: "",
  culprit: null,
  exitCode: 0,
  doing: "step 12",
  limitMs: 45_000,
  entered: 100,
};
const peer = (change: Partial<Beat> = {}, atMs = 99_000): Peer => ({ rank: 1, beat: { ...beat, ...change }, atMs });
const unseen: Peer = { rank: 1, beat: null, atMs: 0 };
const watching: Watching = {
  nowMs: 100_000,
  startedMs: 0,
  folder: "runs/x/ranks",
  limits: { silentMs: 30_000, startMs: 45_000, collectiveMs: 50_000 },
  entered: 100,
  waitsSinceMs: null,
  seesAll: true,
  alive: () => true,
};

const faults: readonly [what: string, peers: readonly Peer[], Partial<Watching>, code: string | null, says?: RegExp][] =
  [
    ["all is well", [peer()], {}, null],
    ["a rank that has ended well", [peer({ state: "ended" }, 0)], { alive: () => false }, null],
    ["a rank that starts a little later", [unseen], { nowMs: 44_000 }, null],
    [
      "a rank that never starts",
      [unseen],
      { nowMs: 45_000 },
      "R204",
      /rank 1 has given no sign of life in runs.x.ranks within 45 s/,
    ],
    [
      "a process that is gone",
      [peer()],
      { alive: () => false },
      "R201",
      /rank 1 on node2 \(process 4711\) is gone.*step 12/,
    ],
    ["a process of which nobody can know", [peer()], { alive: () => null }, null],
    ["silence as long as its step may take", [peer({}, 56_000)], {}, null],
    ["silence for longer", [peer({}, 54_000)], {}, "R202", /no sign of life for 46 s/],
    ["silence in an evaluation", [peer({ limitMs: 600_000 }, 10_000)], {}, null],
    ["a rank that others wait for, not long", [peer({ entered: 99 })], { waitsSinceMs: 60_000 }, null],
    ["a rank that others wait for in vain", [peer({ entered: 99 })], { waitsSinceMs: 54_000 }, "R203", /hangs.*46 s/],
    ["a slow one that is just behind me in nothing", [peer({ entered: 99 })], { waitsSinceMs: null }, null],
    ["an exchange that does not end", [peer()], { waitsSinceMs: 50_000 }, "R205", /has not ended for 50 s/],
    ["the same, seen by a rank that sees one other", [peer()], { waitsSinceMs: 50_000, seesAll: false }, null],
    [
      "a rank that says why, before one that is gone",
      [
        peer({ rank: 1 }),
        { rank: 2, beat: { ...beat, rank: 2, state: "failed", reason: "R133: 12 images." }, atMs: 99_000 },
      ],
      { alive: (of) => of.rank !== 1 },
      "R200",
      /because rank 2 on node2 \(process 4711\) failed: R133: 12 images\./,
    ],
    [
      "what another rank found out",
      [peer({ state: "failed", reason: "The run ends because rank 3 on node4 (process 5) is gone.", culprit: 3 })],
      {},
      "R200",
      /^The run ends because rank 3 on node4 \(process 5\) is gone\.$/,
    ],
  ];

describe("judge", () => {
  it.each(faults)("%s", (_, peers, change, code, says) => {
    const fault = judge(peers, { ...watching, ...change });
    expect(fault?.error.code ?? null).toBe(code);
    if (says !== undefined) expect(fault?.error.message).toMatch(says);
  });

  it.each([
    ["another rank is lost: the same command goes on", [peer()], { alive: () => false }, 75],
    ["an exchange does not end", [peer()], { waitsSinceMs: 50_000 }, 75],
    ["a rank failed by itself, and would again", [peer({ state: "failed", reason: "R133: 12.", exitCode: 1 })], {}, 1],
    [
      "another rank found out that one is lost",
      [peer({ state: "failed", reason: "The run ends…", exitCode: 75 })],
      {},
      75,
    ],
  ] as const)("says how the process ends where %s", (_, peers, change, exitCode) => {
    expect(judge(peers, { ...watching, ...change })?.exitCode).toBe(exitCode);
  });

  it("names the rank whose process has to end with the others", () => {
    const culprits = faults.map(([, peers, change]) => judge(peers, { ...watching, ...change })?.culprit ?? null);
    expect(culprits).toEqual([null, null, null, 1, 1, null, null, 1, null, null, 1, null, null, null, null, 3]);
  });
});
