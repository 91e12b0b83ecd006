import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { oneLine } from "../../../compiler/diagnostics/diagnostic";
import type { JsonValue } from "../../../compiler/spec/json";
import { loadSpec, specFromText } from "../../../compiler/spec/load";
import { type AxisInput, type GridInput, gridSchema, type StopInput } from "../../../tools/sweep/grid";
import { loadSweep } from "../../../tools/sweep/load";
import { fieldPointers } from "../../../tools/sweep/pointer";
import { mostPoints } from "../../../tools/sweep/points";
import { complaints, count, file, grid, load, momentum, root, sweep } from "./fixture";

type Grid = { readonly [key: string]: JsonValue };

describe("points", () => {
  test("the axes in order, the last one fastest, the seed within", () => {
    const { points, axes, seeds } = sweep({
      axes: [count, { name: "width", zip: { "/encoder/dim": [96, 192], "/encoder/heads": [3, 6] } }],
      seeds: [3, 0],
    });
    expect(points.map(({ name }) => name)).toEqual([
      "grid-count1-dim96-s3",
      "grid-count1-dim96-s0",
      "grid-count1-dim192-s3",
      "grid-count1-dim192-s0",
      "grid-count4-dim96-s3",
      "grid-count4-dim96-s0",
      "grid-count4-dim192-s3",
      "grid-count4-dim192-s0",
    ]);
    expect(points.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(points[5]).toMatchObject({
      group: "grid-count4-dim96",
      labels: { count: "count4", width: "dim96" },
      values: { "/masking/targets/count": 4, "/encoder/dim": 96, "/encoder/heads": 3, "/seed": 0 },
      seed: 0,
    });
    expect(axes).toEqual([
      { name: "count", pointers: ["/masking/targets/count"] },
      { name: "width", pointers: ["/encoder/dim", "/encoder/heads"] },
    ]);
    expect(seeds).toEqual([3, 0]);
  });

  test("a point is the base with its values, and a spec file of its own text is the same", () => {
    const [point] = sweep({ set: { "/optimization/epochs": 2 }, axes: [count] }).points;
    const base = loadSpec(join(root, "experiments/quickstart.json"));
    if (point === undefined || !base.ok || base.spec.objective !== "ijepa") throw new Error("no point or no base");
    const { masking } = base.spec;
    if (masking.strategy !== "multiblock") throw new Error("another strategy");
    expect(point.spec).toEqual({
      ...base.spec,
      name: "grid-count1",
      description: "Point of the sweep grid: /masking/targets/count 1.",
      masking: { ...masking, targets: { ...masking.targets, count: 1 } },
      optimization: { ...base.spec.optimization, epochs: 2 },
    });
    expect(specFromText({ text: point.text, file: "x.json" })).toMatchObject({ spec: point.spec, hash: point.hash });
  });

  test("an axis may change the experiment, and a field with it", () => {
    const loaded = load(
      JSON.stringify({
        set: { "/log/everySteps": 7 },
        axes: [
          {
            name: "method",
            bases: ["../quickstart.json", "../methods/mae.json"],
            pointer: "/optimization/epochs",
            values: [3, 5],
          },
        ],
        seeds: [4, 5],
      }),
    );
    if (!loaded.ok) throw new Error(loaded.diagnostics.map(oneLine).join("\n"));
    const { points, axes, base } = loaded.sweep;
    expect(
      points.map(({ name, labels, spec }) => [name, labels, spec.objective, spec.optimization.epochs, spec.seed]),
    ).toEqual([
      ["grid-quickstart-s4", { method: "quickstart" }, "ijepa", 3, 4],
      ["grid-quickstart-s5", { method: "quickstart" }, "ijepa", 3, 5],
      ["grid-mae-s4", { method: "mae" }, "mae", 5, 4],
      ["grid-mae-s5", { method: "mae" }, "mae", 5, 5],
    ]);
    expect(points.every(({ spec }) => spec.log.everySteps === 7)).toBe(true);
    expect(axes).toEqual([{ name: "method", pointers: ["/optimization/epochs"] }]);
    expect(base).toBe("experiments/quickstart.json, experiments/methods/mae.json");
  });

  test("what bases are called, and the seeds that they have themselves", () => {
    const names = (axis: JsonValue) => {
      const loaded = load(JSON.stringify({ axes: [axis] }));
      return loaded.ok ? loaded.sweep.points.map(({ name }) => name) : loaded.diagnostics.map(oneLine);
    };
    const bases = ["../quickstart.json", "../methods/mae.json"];
    expect(names({ bases })).toEqual(["grid-quickstart", "grid-mae"]);
    expect(names({ bases, labels: ["a", "b"] })).toEqual(["grid-a", "grid-b"]);
    // One file by two names.
    expect(names({ bases: ["../quickstart.json", "../../experiments/quickstart.json"] })).toEqual([
      "grid-base-1",
      "grid-base-2",
    ]);
  });

  test("hashes differ from point to point", () => {
    const { points } = sweep({ axes: [count], seeds: [0, 1] });
    expect(new Set(points.map(({ hash }) => hash)).size).toBe(4);
  });

  test.each<[string, Grid, readonly string[]]>([
    ["no axes: one point", {}, ["grid"]],
    ["seeds alone", { seeds: [0, 7] }, ["grid-s0", "grid-s7"]],
    ["a name of its own", { name: "a.b", axes: [count] }, ["a.b-count1", "a.b-count4"]],
    [
      "texts, in small letters",
      { axes: [{ pointer: "/loss", values: ["smoothL1", "mse"] }] },
      ["grid-losssmoothl1", "grid-lossmse"],
    ],
    [
      "true and false",
      { axes: [{ pointer: "/masking/allowOverlap", values: [true, false] }] },
      ["grid-allowoverlaptrue", "grid-allowoverlapfalse"],
    ],
    [
      "null",
      { axes: [{ pointer: "/optimization/clipNorm", values: [null, 1] }] },
      ["grid-clipnormnull", "grid-clipnorm1"],
    ],
    [
      "small numbers",
      { axes: [{ pointer: "/optimization/adamw/eps", values: [1e-8, 0.001] }] },
      ["grid-eps1e-8", "grid-eps0.001"],
    ],
    [
      "lists",
      {
        axes: [
          {
            pointer: "/masking/context/scale",
            values: [
              [0.8, 1],
              [0.9, 1],
            ],
          },
        ],
      },
      ["grid-scale-1", "grid-scale-2"],
    ],
    [
      "a group, of which the base has another form",
      {
        axes: [
          {
            pointer: "/encoder",
            values: [
              { size: "tiny", patch: 8 },
              { dim: 96, depth: 1, heads: 3, patch: 8 },
            ],
          },
        ],
      },
      ["grid-encoder-1", "grid-encoder-2"],
    ],
    [
      "two fields of one name",
      {
        axes: [
          { pointer: "/encoder/depth", values: [1, 2] },
          { pointer: "/predictor/depth", values: [1] },
        ],
      },
      ["grid-encoder-depth1-predictor-depth1", "grid-encoder-depth2-predictor-depth1"],
    ],
    [
      "a zip whose first field does not tell the steps apart",
      { axes: [{ zip: { "/encoder/dim": [96, 96], "/encoder/heads": [3, 6] } }] },
      ["grid-dim96-heads3", "grid-dim96-heads6"],
    ],
    ["labels", { axes: [{ ...count, labels: ["one", "four"] }], seeds: [1] }, ["grid-one-s1", "grid-four-s1"]],
    [
      "an exclusion, and the numbers after it",
      {
        axes: [count, { pointer: "/encoder/depth", values: [1, 2] }],
        exclude: [{ "/encoder/depth": 2, "/masking/targets/count": 1 }],
      },
      ["grid-count1-depth1", "grid-count4-depth1", "grid-count4-depth2"],
    ],
    [
      "exclusions by list and by seed",
      {
        axes: [
          {
            pointer: "/masking/context/scale",
            values: [
              [0.8, 1],
              [0.9, 1],
            ],
          },
        ],
        seeds: [0, 1],
        exclude: [{ "/masking/context/scale": [0.9, 1], "/seed": 1 }],
      },
      ["grid-scale-1-s0", "grid-scale-1-s1", "grid-scale-2-s0"],
    ],
  ])("%s", (_, rest, want) => {
    const { points } = sweep(rest);
    expect(points.map(({ name }) => name)).toEqual(want);
    expect(points.map(({ index }) => index)).toEqual(want.map((_name, index) => index));
  });

  test("what the base says of itself makes no difference, what the grid says of it does", () => {
    const [given] = sweep({ set: { "/description": "mine" } }).points;
    expect(given?.spec.description).toBe("mine");
  });
});

describe("metric and stop", () => {
  test.each<[string, Grid, JsonValue]>([
    ["the first task's linear probe", {}, { name: "shape.linearProbe", goal: "max" }],
    ["what is named", { metric: { name: "count.knn" } }, { name: "count.knn", goal: "max" }],
    ["the loss is to be small", { metric: { name: "loss" } }, { name: "loss", goal: "min" }],
    ["unless it is to be large", { metric: { name: "loss", goal: "max" } }, { name: "loss", goal: "max" }],
    [
      "without labels the loss",
      { set: { "/data": { source: "folder", train: "x", images: 1000 } } },
      { name: "loss", goal: "min" },
    ],
    [
      "a folder with held-out images",
      { set: { "/data": { source: "folder", train: "x", validation: "y", images: 9000 } } },
      { name: "class.linearProbe", goal: "max" },
    ],
  ])("%s", (_, rest, want) => {
    expect(sweep(rest).metric).toEqual(want);
  });

  test("rules", () => {
    const floors = [{ epoch: 1, value: 0.3 }];
    expect(sweep({}).stop).toBeNull();
    expect(sweep({ metric: { name: "loss" }, stop: { rule: "floor", floors } }).stop).toEqual({
      rule: "floor",
      floors,
    });
    expect(sweep({ metric: { name: "loss" }, stop: { rule: "halving", epochs: [1, 3] } }).stop).toEqual({
      rule: "halving",
      epochs: [1, 3],
      keep: 0.5,
    });
  });
});

describe("committed grids", () => {
  const grids = ["sweeps", "sweeps/paper"].flatMap((folder) =>
    readdirSync(join(root, "experiments", folder))
      .filter((name) => name.endsWith(".json"))
      .map((name) => `${folder}/${name}`),
  );

  test.each(grids)("%s", (name) => {
    const loaded = loadSweep(join(root, "experiments", name));
    expect(loaded.ok ? [] : loaded.diagnostics.map(oneLine)).toEqual([]);
  });

  test("every table of ablations of the paper has a grid at its own size and one on the quickstart", () => {
    const said = (folder: string): string =>
      grids
        .filter((name) => name.startsWith(folder) && name.split("/").length === folder.split("/").length + 1)
        .map((name) => readFileSync(join(root, "experiments", name), "utf8"))
        .join("\n");
    for (const table of [6, 7, 8, 9, 10, 11, 12, 13, 14]) {
      for (const folder of ["sweeps", "sweeps/paper"]) expect(said(folder), folder).toContain(`Table ${table}`);
    }
  });

  test("the example of the reference page", () => {
    const page = readFileSync(join(root, "docs/reference/sweep.md"), "utf8");
    const example = /```json\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
    expect(complaints(example).join("\n")).toBe("");
  });
});

test("a spec is not read as a grid, nor a grid as a spec", () => {
  const loaded = specFromText({ text: grid({}), file });
  expect(loaded).toMatchObject({ ok: false, diagnostics: [{ code: "E525" }] });
});

test("every field can be pointed at", () => {
  expect(fieldPointers.length).toBeGreaterThan(70);
  expect(fieldPointers).toContain("/data/validation");
  expect(fieldPointers).not.toContain("/seed");
});

test("the types name the keys of the schema", () => {
  const keys = {
    grid: { $schema: 0, name: 0, description: 0, base: 0, set: 0, axes: 0, exclude: 0, seeds: 0, metric: 0, stop: 0 },
    axis: { name: 0, pointer: 0, values: 0, zip: 0, bases: 0, labels: 0 },
    metric: { name: 0, goal: 0 },
    floor: { rule: 0, floors: 0 },
    halving: { rule: 0, epochs: 0, keep: 0 },
  } satisfies {
    grid: Record<keyof GridInput, 0>;
    axis: Record<keyof AxisInput, 0>;
    metric: Record<keyof NonNullable<GridInput["metric"]>, 0>;
    floor: Record<keyof Extract<StopInput, { rule: "floor" }>, 0>;
    halving: Record<keyof Extract<StopInput, { rule: "halving" }>, 0>;
  };
  const { axes, metric, stop } = gridSchema.properties ?? {};
  const keysOf = (node: { readonly properties?: object | undefined } | undefined) =>
    Object.keys(node?.properties ?? {});
  expect(keysOf(gridSchema)).toEqual(Object.keys(keys.grid));
  expect(keysOf(axes?.items)).toEqual(Object.keys(keys.axis));
  expect(keysOf(metric)).toEqual(Object.keys(keys.metric));
  expect(stop?.oneOf?.map(keysOf)).toEqual([Object.keys(keys.floor), Object.keys(keys.halving)]);
});

test("a hundred points load at once, though the search for masks that fit takes 0.1 s", () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 0.5 + i / 1000);
  const start = performance.now();
  const axes = [{ pointer: momentum, values: hundred }];
  expect(sweep({ set: { "/masking/context/tokens": 20 }, axes }).points).toHaveLength(100);
  // 0.15 to 0.3 s, 10 s if every point searched by itself; the machine may be busy.
  expect(performance.now() - start).toBeLessThan(4000);
  const seeds = Array.from({ length: mostPoints / 100 + 1 }, (_, seed) => seed);
  expect(load(grid({ axes, seeds }))).toMatchObject({ diagnostics: [{ code: "E513" }] });
});
