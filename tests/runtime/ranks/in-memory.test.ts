/** The ranks in memory that tests of the trainer use, and what all communicators have in common. */
import { describe, expect, it } from "vitest";
import { aloneCommunicator } from "../../../runtime/ranks/alone";
import { blockOf } from "../../../runtime/ranks/communicator";
import { meanOfRows } from "../../../runtime/ranks/mean";
import { collectivesResult } from "../../support/mpi/collectives";
import { onRanks } from "../../support/ranks";

describe("blocks", () => {
  it.each([
    [
      10,
      3,
      [
        [0, 4],
        [4, 8],
        [8, 10],
      ],
    ],
    [
      2,
      4,
      [
        [0, 1],
        [1, 2],
        [2, 2],
        [2, 2],
      ],
    ],
    [
      0,
      2,
      [
        [0, 0],
        [0, 0],
      ],
    ],
  ])("of %i numbers for %i ranks", (length, size, want) => {
    const blocks = Array.from({ length: size }, (_, rank) => blockOf(length, { rank, size }));
    expect(blocks.map(({ start, end }) => [start, end])).toEqual(want);
  });
});

describe("the mean", () => {
  it("is added up in float64 and rounded once", () => {
    const into = new Float32Array(1);
    meanOfRows(Float32Array.of(2 ** 24, 1, 1, 2), into, 4);
    expect(into[0]).toBe(Math.fround((2 ** 24 + 4) / 4));
  });
});

describe("ranks in memory", () => {
  it("share means, blocks, bytes and words", async () => {
    const results = await onRanks(3, async (ranks) => {
      const values = Float32Array.of(ranks.rank, 10 * ranks.rank);
      await ranks.allReduceMean([values]);
      const blocks = Float32Array.of(ranks.rank, 2 * ranks.rank, 3 * ranks.rank);
      await ranks.allGatherBlocks(blocks);
      return [...values, ...blocks];
    });
    expect(results).toEqual([0, 1, 2].map(() => [1, 10, 0, 2, 6]));
  });

  it("bring the blocks of all together as they were", async () => {
    const results = await onRanks(2, collectivesResult);
    for (const { means, gatheredMeans } of results) expect(gatheredMeans).toEqual(means);
  });

  it("name rank, host and both values where they do not agree", async () => {
    const run = onRanks(4, (ranks) => ranks.agree("experiment", ranks.rank === 2 ? "b" : "a"));
    await expect(run).rejects.toMatchObject({
      code: "R199",
      message: expect.stringContaining("about the experiment: rank 0 on host0 has a, rank 2 on host2 has b."),
    });
  });

  it.each([
    [
      "calls something else",
      (rank: number) => (rank === 1 ? "broadcast" : "barrier"),
      /calls (broadcast|barrier) where/,
    ],
    ["aborts", (rank: number) => (rank === 1 ? "abort" : "barrier"), /rank 1 aborted: no images/],
    ["throws", (rank: number) => (rank === 1 ? "throw" : "barrier"), /out of luck/],
  ])("end all where one of them %s", async (_, what, says) => {
    const run = onRanks(3, async (ranks) => {
      const does = what(ranks.rank);
      if (does === "barrier") await ranks.barrier();
      if (does === "broadcast") await ranks.broadcast(new Uint8Array(1));
      if (does === "abort") await ranks.abort("no images", 1);
      if (does === "throw") throw new Error("out of luck");
    });
    await expect(run).rejects.toThrow(says);
  });
});

describe("one rank alone", () => {
  it("leaves numbers as they are, and agrees with itself", async () => {
    const ranks = aloneCommunicator();
    const values = Float32Array.of(1, 2);
    await ranks.allReduceMean([values]);
    await ranks.agree("experiment", "a");
    expect([...values]).toEqual([1, 2]);
    expect(await ranks.allGather(Uint8Array.of(7))).toEqual([Uint8Array.of(7)]);
    expect({ rank: ranks.rank, size: ranks.size }).toEqual({ rank: 0, size: 1 });
  });
});
