/** Which image comes when: every epoch visits the images in a new order, and drops the incomplete last batch. */
import { randomAt } from "../random/random";

export interface EpochOrder {
  /** Numbers of the images at positions `from` … `from + count − 1` of an epoch. */
  images(at: { readonly epoch: number; readonly from: number; readonly count: number }): Int32Array;
}

export function createEpochOrder({ seed, images }: { readonly seed: number; readonly images: number }): EpochOrder {
  /** The last two: batches that are read ahead reach into the next epoch. */
  const orders = new Map<number, Int32Array>();

  function orderOf(epoch: number): Int32Array {
    let order = orders.get(epoch);
    if (order === undefined) {
      order = randomAt({ seed, purpose: "data.order", step: epoch }).shuffle(
        Int32Array.from({ length: images }, (_, i) => i),
      );
      for (const old of [...orders.keys()].slice(0, -1)) orders.delete(old);
      orders.set(epoch, order);
    }
    return order;
  }

  return { images: ({ epoch, from, count }) => orderOf(epoch).slice(from, from + count) };
}
