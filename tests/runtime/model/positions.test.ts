import { expect, test } from "vitest";
import { readSafetensors } from "../../../runtime/checkpoint/safetensors";
import { sinCosPositions } from "../../../runtime/model/positions";
import { officialPath } from "../../support/official";

const { tensors } = await readSafetensors(officialPath("posembed.safetensors"));
const tables = [...tensors].map(([name, { values }]) => {
  const [, dim, grid] = /^sincos\.d(\d+)\.g(\d+)$/.exec(name) ?? [];
  return { name, dim: Number(dim), grid: Number(grid), values };
});

test.each(tables)("$name equals the official table", ({ dim, grid, values }) => {
  const got = sinCosPositions({ dim, gridHeight: grid, gridWidth: grid, scale: 1 });
  expect(got.length).toBe(values.length);
  const different = [...got].filter((value, i) => value !== values[i]);
  expect(different).toEqual([]);
});

test("on a grid that is not square, rows are y and the first half is x", () => {
  const table = sinCosPositions({ dim: 4, gridHeight: 2, gridWidth: 3, scale: 1 });
  const want = [0, 1].flatMap((y) => [0, 1, 2].flatMap((x) => [Math.sin(x), Math.cos(x), Math.sin(y), Math.cos(y)]));
  expect([...table]).toEqual([...Float32Array.from(want)]);
});

test("the scale is a factor on all of it", () => {
  const settings = { dim: 8, gridHeight: 3, gridWidth: 3 };
  const halves = sinCosPositions({ ...settings, scale: 0.5 });
  expect([...halves]).toEqual([...sinCosPositions({ ...settings, scale: 1 })].map((value) => value / 2));
});

test("a width that is no multiple of 4 is our mistake", () => {
  expect(() => sinCosPositions({ dim: 6, gridHeight: 1, gridWidth: 1, scale: 1 })).toThrow("internal:");
});
