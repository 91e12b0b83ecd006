import { describe, expect, test } from "vitest";
import { oneLine } from "../../../compiler/diagnostics/diagnostic";
import { type ListOptions, listSweep } from "../../../tools/sweep/list";
import { selectPoints } from "../../../tools/sweep/select";
import type { Sweep } from "../../../tools/sweep/sweep";
import { count, momentum, sweep } from "./fixture";

const four = sweep({
  set: { "/evaluation/everyEpochs": 1 },
  axes: [
    {
      pointer: "/masking/targets/scale",
      values: [
        [0.2, 0.3],
        [0.25, 0.3],
      ],
      labels: ["wide", "narrow"],
    },
  ],
  seeds: [0, 1],
  stop: {
    rule: "floor",
    floors: [
      { epoch: 1, value: 0.3 },
      { epoch: 2, value: 0.4 },
    ],
  },
});

function list(of: Sweep, options: ListOptions): string {
  const listed = listSweep(of, of.points, options);
  return listed.ok ? listed.text : listed.diagnostics.map(oneLine).join("\n");
}

function many(points: number): Sweep {
  return sweep({ axes: [{ pointer: momentum, values: Array.from({ length: points }, (_, i) => i / 1000) }] });
}

describe("text", () => {
  test("a table of the points with what they set", () => {
    expect(list(four, { format: "text" })).toBe(
      [
        "grid: 4 points, base experiments/quickstart.json",
        "compared by shape.linearProbe, the largest is the best",
        "stopped early: shape.linearProbe below 0.3 after epoch 1, 0.4 after epoch 2",
        "",
        "   point           /masking/targets/scale  seed",
        "0  grid-wide-s0    [0.2,0.3]               0",
        "1  grid-wide-s1    [0.2,0.3]               1",
        "2  grid-narrow-s0  [0.25,0.3]              0",
        "3  grid-narrow-s1  [0.25,0.3]              1",
        "",
      ].join("\n"),
    );
  });

  test("of a selection", () => {
    const selected = selectPoints(four, { only: ["wide"] });
    const listed = selected.ok ? listSweep(four, selected.points, { format: "text" }) : null;
    expect(listed).toMatchObject({
      text: expect.stringMatching(/^grid: 2 of 4 points, base .*\n0 {2}grid-wide-s0 .*\n1 .*\n$/s),
    });
  });

  test("without seeds there is no column for them, and long values are cut", () => {
    const encoder = { dim: 96, depth: 3, heads: 3, patch: 8, mlpRatio: 4, dropPath: 0 };
    const text = list(
      sweep({
        axes: [{ pointer: "/encoder", values: [encoder] }],
        metric: { name: "loss" },
        stop: { rule: "halving", epochs: [1, 3] },
      }),
      { format: "text" },
    );
    expect(text).toContain("grid: 1 point, base");
    expect(text).toContain(
      "compared by loss, the smallest is the best\nstopped early: after epoch 1, 3 the best 50 % go on\n",
    );
    expect(text).toMatch(
      /\n {3}point {11}\/encoder\n0 {2}grid-encoder-1 {2}\{"dim":96,"depth":3,"heads":3,"patch":8…\n$/,
    );
  });
});

describe("json", () => {
  test("everything but the specs", () => {
    const listed = JSON.parse(list(four, { format: "json" }));
    expect(listed).toMatchObject({
      sweep: "grid",
      file: "experiments/sweeps/grid.json",
      base: "experiments/quickstart.json",
      axes: [{ name: "scale", pointers: ["/masking/targets/scale"] }],
      seeds: [0, 1],
      metric: { name: "shape.linearProbe", goal: "max" },
      stop: { rule: "floor" },
    });
    expect(listed.points).toHaveLength(4);
    expect(listed.points[2]).toEqual({
      index: 2,
      name: "grid-narrow-s0",
      group: "grid-narrow",
      labels: { scale: "narrow" },
      values: { "/evaluation/everyEpochs": 1, "/masking/targets/scale": [0.25, 0.3], "/seed": 0 },
      seed: 0,
      hash: four.points[2]?.hash,
    });
  });
});

describe("github", () => {
  test("one line for strategy.matrix", () => {
    expect(list(sweep({ axes: [count] }), { format: "github" })).toBe(
      '{"include":[{"point":"grid-count1","index":0,"count":"count1"},{"point":"grid-count4","index":1,"count":"count4"}]}\n',
    );
  });

  test("a matrix of shards", () => {
    expect(JSON.parse(list(many(10), { format: "github", shards: 4 }))).toEqual({
      include: [
        { shard: "1/4", points: 3 },
        { shard: "2/4", points: 3 },
        { shard: "3/4", points: 2 },
        { shard: "4/4", points: 2 },
      ],
    });
  });

  test("no shard without points", () => {
    expect(JSON.parse(list(many(2), { format: "github", shards: 3 }))).toEqual({
      include: [
        { shard: "1/3", points: 1 },
        { shard: "2/3", points: 1 },
      ],
    });
  });

  test.each<[number, number | undefined, RegExp]>([
    [256, undefined, /^\{"include":/],
    [
      257,
      undefined,
      /E523 .* found 257; want at most 256\. Let a job run several points: `--format github --shards 26`\.$/,
    ],
    [300, 256, /^\{"include":/],
    [300, 257, /E523 .* found 257; want at most 256\. Ask for fewer shards\.$/],
  ])("%i points in %s shards", (points, shards, want) => {
    expect(list(many(points), { format: "github", shards })).toMatch(want);
  });

  test("what a shard says it has is what it gets", () => {
    const of = many(11);
    const { include } = JSON.parse(list(of, { format: "github", shards: 3 })) as {
      include: { shard: string; points: number }[];
    };
    for (const { shard, points } of include) {
      const selected = selectPoints(of, { shard });
      expect(selected.ok && selected.points.length).toBe(points);
    }
  });
});
