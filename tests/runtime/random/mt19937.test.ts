import { expect, test } from "vitest";
import { Mt19937 } from "../../../runtime/random/mt19937";

test("gives the numbers of the published generator", () => {
  // The standard's own check: output 1 and output 10,000 after the default seed.
  const random = new Mt19937(5489);
  const numbers = Array.from({ length: 10_000 }, () => random.uint32());
  expect(numbers[0]).toBe(3499211612);
  expect(numbers[9999]).toBe(4123659995);
});

test("uniform numbers have 24 bits", () => {
  const [words, uniforms] = [new Mt19937(7), new Mt19937(7)];
  for (let i = 0; i < 100; i++) expect(uniforms.uniform()).toBe((words.uint32() % 2 ** 24) / 2 ** 24);
});

test("permutations hold every number once", () => {
  const order = new Mt19937(3).permutation(50);
  expect(order).not.toEqual([...order].sort((a, b) => a - b));
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
});
