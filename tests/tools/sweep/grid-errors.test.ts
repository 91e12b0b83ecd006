import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonValue } from "../../../compiler/spec/json";
import { fieldPointers } from "../../../tools/sweep/pointer";
import { complaints, count, grid, load, momentum } from "./fixture";

type Grid = { readonly [key: string]: JsonValue };

describe("what is wrong, and where", () => {
  const scale = { pointer: "/masking/targets/scale", values: [[0.2, 0.3]] };
  const halving = (...epochs: number[]) => ({ rule: "halving", epochs });
  const thousand = Array.from({ length: 1000 }, (_, i) => i);

  test("a base that is wrong: of its own file, at its own places", () => {
    const found = complaints('{ "base": "../../package.json" }');
    expect(found.length).toBeGreaterThan(5);
    for (const one of found) expect(one).toMatch(/^.* → package.json E20[12] /);
  });

  test.each<[string, string, readonly (string | RegExp)[]]>([
    ["an experiment", '{ "data": { "source": "shapes" } }', [/^\{ → E500/]],
    ["no base", '{ "axes": [] }', [/^\{ → E526 .*found neither/]],
    [
      "a base, and bases",
      grid({ axes: [{ bases: ["../quickstart.json"] }] }),
      [/^\{ → E526 .*found "base" and axes\[0\]\.bases/],
    ],
    [
      "two axes of bases",
      '{ "axes": [{ "bases": ["../quickstart.json"] }, { "bases": ["../quickstart.json"], "name": "b" }] }',
      [/^"bases" → E526 .*found axes\[0\]\.bases and axes\[1\]\.bases/],
    ],
    ["no bases", '{ "axes": [{ "bases": [] }] }', [/^\[\] → E505/]],
    [
      "a base twice",
      '{ "axes": [{ "bases": ["../quickstart.json", "../quickstart.json"] }] }',
      [/^"\.\.\/quickstart\.json" → E508/],
    ],
    [
      "one of the bases is not there",
      '{ "axes": [{ "bases": ["../quickstart.json", "../quickstrt.json"] }] }',
      [/^"\.\.\/quickstrt\.json" → E524 experiments\/quickstrt\.json there is no such file/],
    ],
    [
      "bases beside fewer values",
      '{ "axes": [{ "bases": ["../quickstart.json", "../methods/mae.json"], "pointer": "/optimization/epochs", "values": [1] }] }',
      [/^\[1\] → E506 .*as `bases` has/],
    ],
    [
      "a field that one of the bases does not have",
      '{ "axes": [{ "bases": ["../quickstart.json", "../methods/mae.json"] }], "set": { "/predictor/depth": 1 } }',
      [/^1 → E208 point `grid-mae`: predictor/],
    ],
    ["an unknown field", grid({ axis: [] }), [/^"axis" → E201 .* Did you mean `axes`\?$/]],
    [
      "a base that is not there",
      '{ "base": "../quickstrt.json" }',
      [
        /^".*" → E524 experiments\/quickstrt.json there is no such file. Did you mean `experiments\/quickstart.json`\?$/,
      ],
    ],
    ["a base that is a folder", '{ "base": ".." }', [/^"\.\." → E524 experiments is a folder/]],
    ["a base that is a grid", '{ "base": "smoke.json" }', [/^"smoke.json" → E501/]],
    ["no object", "[]", [/^\[\] → E203/]],
    ["neither pointer nor zip", grid({ axes: [{ values: [1] }] }), [/^\{ → E502 .* found values/]],
    [
      "both",
      grid({ axes: [{ ...count, zip: { "/encoder/dim": [96] } }] }),
      [/^\{ → E502 .* found pointer and values and zip/],
    ],
    [
      "an unknown pointer",
      grid({ axes: [{ ...count, pointer: "/masking/target/scale" }] }),
      [
        /^"\/masking\/target\/scale" → E503 .*want one of \/masking\/strategy, \/masking\/sampler, .* Did you mean `\/masking\/targets\/scale`\?$/,
      ],
    ],
    [
      "dots instead of slashes",
      grid({ axes: [{ ...count, pointer: "encoder.dim" }] }),
      [/^"encoder.dim" → E503 .* Did you mean `\/encoder\/dim`\?$/],
    ],
    [
      "a word of its own",
      grid({ set: { "/lr": 1 } }),
      [/^"\/lr" → E503 .* Did you mean `\/optimization\/learningRate`\?$/],
    ],
    [
      "an escaped slash",
      grid({ set: { "/encoder~1dim": 96 } }),
      [/^"\/encoder~1dim" → E503 .* Did you mean `\/encoder\/dim`\?$/],
    ],
    ["a broken escape", grid({ set: { "/encoder/dim~2": 96 } }), [/^"\/encoder\/dim~2" → E503/]],
    ["the whole experiment", grid({ set: { "": {} } }), [/^"" → E503/]],
    [
      "a word of JavaScript",
      grid({ set: { "/constructor": 1, "/__proto__/x": 1 } }),
      [/^"\/constructor" → E503/, /^"\/__proto__\/x" → E503/],
    ],
    [
      "below a field",
      grid({ set: { "/seed/x": 1, "/encoder/dim/x": 96 } }),
      [/^"\/seed\/x" → E503/, /^"\/encoder\/dim\/x" → E503/],
    ],
    ["name and seed", grid({ set: { "/name": "x", "/seed": 1 } }), [/^"\/name" → E504/, /^"\/seed" → E504 .*`seeds`/]],
    [
      "an entry of a list",
      grid({ set: { "/masking/targets/scale/0": 0.1 } }),
      [/→ E504 .*Set `\/masking\/targets\/scale` as a whole/],
    ],
    ["an empty axis", grid({ axes: [{ ...count, values: [] }] }), [/^\[\] → E505/]],
    ["an empty zip", grid({ axes: [{ zip: { "/encoder/dim": [] } }] }), [/^\[\] → E505/]],
    ["no seeds", grid({ seeds: [] }), [/^\[\] → E505/]],
    [
      "lists of a zip",
      grid({ axes: [{ zip: { "/encoder/dim": [96, 192], "/encoder/heads": [3] } }] }),
      [/^\[3\] → E506 .* found 1 value; want 2, as `\/encoder\/dim` has/],
    ],
    ["a field on two axes", grid({ axes: [count, count] }), [/^"\/masking\/targets\/count" → E507 .* in axes\[0\]/]],
    ["a field and its group", grid({ axes: [count, { pointer: "/masking", values: [{}] }] }), [/^"\/masking" → E507/]],
    [
      "an axis over what set gives",
      grid({ set: { "/masking/targets/count": 2 }, axes: [count] }),
      [/^"\/masking\/targets\/count" → E507 .* in set/],
    ],
    ["twice in set", grid({ set: { "/encoder/dim": 96, "/encoder": {} } }), [/^"\/encoder" → E507/]],
    [
      "a value twice",
      grid({
        axes: [
          {
            ...scale,
            values: [
              [0.2, 0.3],
              [0.1, 0.2],
              [0.2, 0.3],
            ],
          },
        ],
      }),
      [/^\[0.2,0.3\] → E508/],
    ],
    ["a seed twice", grid({ seeds: [1, 2, 1] }), [/^1 → E508/]],
    ["labels of other number", grid({ axes: [{ ...count, labels: ["one"] }] }), [/^\["one"\] → E509/]],
    ["a label twice", grid({ axes: [{ ...count, labels: ["x", "x"] }] }), [/^"x" → E511/]],
    ["a label that makes no name", grid({ axes: [{ ...count, labels: ["x", "Y Z"] }] }), [/^"Y Z" → E207/]],
    [
      "two axes of one name",
      grid({
        axes: [
          { ...count, name: "x" },
          { ...scale, name: "x" },
        ],
      }),
      [/^"x" → E510/],
    ],
    ["a name that tables have", grid({ axes: [{ ...count, name: "seed" }] }), [/^"seed" → E510/]],
    [
      "labels that run into one another",
      grid({
        axes: [
          { ...count, labels: ["a", "a-b"] },
          { pointer: "/encoder/depth", values: [1, 2], labels: ["b-c", "c"] },
        ],
      }),
      [/^\{ → E511 two are named `grid-a-b-c`/],
    ],
    [
      "a label like a seed",
      grid({
        axes: [
          { ...count, labels: ["a-s1", "a"] },
          { pointer: "/encoder/depth", values: [1, 2], labels: ["s1", "s1-s1"] },
        ],
        seeds: [1],
      }),
      [/^\{ → E511/],
    ],
    [
      "a long name",
      grid({
        axes: [
          { ...count, labels: ["x", "x".repeat(48)] },
          { pointer: "/encoder/depth", values: [1], labels: ["x".repeat(20)] },
        ],
      }),
      [/E512 .* 74 characters; want at most 64/],
    ],
    [
      "a million points",
      grid({
        axes: [
          { pointer: momentum, values: thousand },
          { pointer: "/optimization/momentum/final", values: thousand },
        ],
      }),
      [/^"axes" → E513 .* found 1000 × 1000 = 1,000,000; want at most 10,000/],
    ],
    [
      "an exclusion of what no axis sets",
      grid({ axes: [count], exclude: [{ "/masking/targets/cont": 1 }] }),
      [/^"\/masking\/targets\/cont" → E514 .* Did you mean `\/masking\/targets\/count`\?$/],
    ],
    [
      "an exclusion of nothing",
      grid({ axes: [count], exclude: [{ "/masking/targets/count": 3 }] }),
      [/^\{ → E515 .*`\/masking\/targets\/count` is never 3/],
    ],
    ["an empty exclusion", grid({ axes: [count], exclude: [{}] }), [/^\{ → E206/]],
    [
      "everything excluded",
      grid({ axes: [count], exclude: [{ "/masking/targets/count": 1 }, { "/masking/targets/count": 4 }] }),
      [/^"exclude" → E516 leaves none of the 2 points/],
    ],
    [
      "an unknown metric",
      grid({ metric: { name: "counts.knn" } }),
      [/^"counts.knn" → E517 .* want one of shape.linearProbe, .* loss\. Did you mean `count.knn`\?$/],
    ],
    [
      "a metric that one point lacks",
      grid({ axes: [{ pointer: "/data/difficulty", values: [0.5, 0] }], metric: { name: "count.knn" } }),
      [/^"count.knn" → E517 runs such as `grid-difficulty0` do not/],
    ],
    [
      "a metric of probes without labels",
      grid({
        set: { "/data": { source: "folder", train: "x", images: 1000, labels: false } },
        metric: { name: "rankMe" },
      }),
      [/^"rankMe" → E517 .* want one of loss/],
    ],
    [
      "a stop at the end",
      grid({ metric: { name: "loss" }, stop: halving(6) }),
      [/^6 → E518 the longest run has 6 epochs; found epoch 6; want from 1 to 5/],
    ],
    ["epochs that do not rise", grid({ metric: { name: "loss" }, stop: halving(2, 2) }), [/^2 → E519/]],
    [
      "a stop where nothing is known",
      grid({ stop: halving(1) }),
      [/^1 → E520 .* found an evaluation at the end only; .*everyEpochs": 1/],
    ],
    [
      "a stop between evaluations",
      grid({
        set: { "/evaluation/everyEpochs": 2 },
        stop: {
          rule: "floor",
          floors: [
            { epoch: 2, value: 0 },
            { epoch: 3, value: 0 },
          ],
        },
      }),
      [/^3 → E520 .* found an evaluation every 2 epochs/],
    ],
    [
      "an unknown rule",
      grid({ stop: { rule: "halvin" } }),
      [/^"halvin" → E205 .* want "floor" or "halving". Did you mean `halving`\?$/],
    ],
    ["everything kept", grid({ stop: { ...halving(1), keep: 1 } }), [/^1 → E204/]],
    ["a name that is none", '{ "name": "A b", "base": "../quickstart.json" }', [/^"A b" → E207/]],
  ])("%s", (_, text, want) => {
    const found = complaints(text);
    expect(found, found.join("\n")).toEqual(want.map((one) => expect.stringMatching(one)));
  });
});

describe("points that are no experiments are told at the place of the value", () => {
  test.each<[string, Grid, readonly RegExp[]]>([
    [
      "of the very field",
      { axes: [{ pointer: "/encoder/dim", values: [96, 97, 192] }] },
      [/^97 → E204 point `grid-dim97`: encoder.dim: out of range; found 97/],
    ],
    [
      "inside the value",
      {
        axes: [
          {
            pointer: "/encoder",
            values: [
              { dim: 96, depth: 3, heads: 3, patch: 8 },
              { dim: 96, depht: 3, heads: 3, patch: 8 },
            ],
          },
        ],
      },
      [/^\{ → E305 .*encoder: without/, /^"depht" → E201 point `grid-encoder-2`: encoder.depht: no such field/],
    ],
    [
      "an entry of a list",
      {
        axes: [
          {
            pointer: "/masking/targets/scale",
            values: [
              [0.2, 0.3],
              [0.2, 3],
            ],
          },
        ],
      },
      [/^3 → E204 point `grid-scale-2`: masking.targets.scale\[1\]/],
    ],
    [
      "another field, broken by one value of two axes",
      {
        axes: [
          { pointer: "/encoder/dim", values: [96, 192, 100] },
          { pointer: "/predictor/depth", values: [1, 2] },
        ],
        seeds: [0, 1],
      },
      [/^100 → E303 point `grid-dim100-depth1-s0` and 3 others: encoder.heads/],
    ],
    ["of set", { set: { "/encoder/patch": 7 }, axes: [count] }, [/^7 → E302 point `grid-count1` and 1 other/]],
    [
      "of another branch of data",
      { axes: [{ pointer: "/data/train", values: ["x"] }] },
      [
        /^"x" → E209 point `grid-trainx`: data.train: no field of source "shapes"; .* "folder", "webdataset" and "parquet" have it\.$/,
      ],
    ],
  ])("%s", (_, rest, want) => {
    const found = complaints(grid(rest));
    expect(found, found.join("\n")).toEqual(want.map((one) => expect.stringMatching(one)));
  });
});

test("whatever a grid says, there is a sweep or a place where it is wrong", () => {
  const pointer = fc.constantFrom(...fieldPointers, "/name", "/encoder/dim/0", "/masking/targets/scale/0", "dim");
  const value = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constant([0.2, 0.3]), fc.jsonValue({ maxDepth: 2 }));
  const axis = fc.oneof(
    fc.record({ pointer, values: fc.array(value, { maxLength: 3 }) }),
    fc.record({ zip: fc.dictionary(pointer, fc.array(value, { maxLength: 2 }), { maxKeys: 2 }) }),
    fc.record({ bases: fc.array(fc.constantFrom("../quickstart.json", "../methods/mae.json", "x"), { maxLength: 3 }) }),
    fc.jsonValue({ maxDepth: 1 }),
  );
  const grids = fc.record(
    {
      base: fc.constant("../quickstart.json"),
      set: fc.dictionary(pointer, value, { maxKeys: 2 }),
      axes: fc.array(axis, { maxLength: 2 }),
      exclude: fc.array(fc.dictionary(pointer, value, { maxKeys: 2 }), { maxLength: 2 }),
      seeds: fc.array(fc.nat(3), { maxLength: 2 }),
      stop: fc.record({ rule: fc.constant("halving"), epochs: fc.array(fc.nat(6), { maxLength: 2 }) }),
    },
    { requiredKeys: ["base"] },
  );
  fc.assert(
    fc.property(grids, (value) => {
      const loaded = load(JSON.stringify(value));
      if (loaded.ok) return;
      expect(loaded.diagnostics).not.toEqual([]);
      for (const { place } of loaded.diagnostics) expect(place).not.toBeNull();
    }),
    { numRuns: 300 },
  );
});
