import { expect, test } from "vitest";
import { createEpochOrder } from "../../../runtime/data/order";

const starts = [0, 100, 100, 250, 400, 1000];
const shuffle = { starts, buffer: 64 };
const epochOf = (epoch: number, seed = 3, how: typeof shuffle | null = shuffle): number[] => {
  const order = createEpochOrder({ seed, images: 1000, shuffle: how });
  return [...order.images({ epoch, from: 0, count: 1000 })];
};
const runOf = (image: number): number => starts.findLastIndex((start) => start <= image);

test("every image once in each epoch, by seed and epoch alone", () => {
  const all = Array.from({ length: 1000 }, (_, i) => i);
  for (const epoch of [0, 1]) expect([...epochOf(epoch)].sort((a, b) => a - b)).toEqual(all);
  expect(epochOf(1)).toEqual(epochOf(1));
  expect(epochOf(1)).not.toEqual(epochOf(0));
  expect(epochOf(1, 4)).not.toEqual(epochOf(1));
});

test("any part of an epoch is that of the whole", () => {
  const order = createEpochOrder({ seed: 3, images: 1000, shuffle });
  expect([...order.images({ epoch: 5, from: 333, count: 50 })]).toEqual(epochOf(5).slice(333, 383));
});

test("images stay near to the others of their run, and a buffer of one keeps their order", () => {
  const far = (buffer: number): number => {
    const order = epochOf(0, 3, { starts, buffer });
    return order.slice(1).filter((image, i) => runOf(image) !== runOf(order[i] ?? 0)).length;
  };
  const inOrder = epochOf(0, 3, { starts, buffer: 1 });
  expect(far(1)).toBe(3);
  for (const [i, image] of inOrder.slice(1).entries()) {
    const before = inOrder[i] ?? 0;
    if (runOf(image) === runOf(before)) expect(image).toBe(before + 1);
  }
  // A window of 64 images reaches over two runs at most; all at once over all of them.
  expect(far(64)).toBeLessThan(300);
  expect(far(1000)).toBeGreaterThan(400);
});

test("a buffer that holds all of them mixes them evenly", () => {
  const sum = Array.from({ length: 400 }, (_, epoch) => epochOf(epoch, 3, { starts, buffer: 1000 }).indexOf(0)).reduce(
    (total, place) => total + place,
    0,
  );
  // The mean of 400 uniform places: 499.5 ± 14.4.
  expect(Math.abs(sum / 400 - 499.5)).toBeLessThan(60);
});
