/** Which image comes when: every epoch visits the images in a new order, and drops the incomplete last batch. */
import { type Random, randomAt } from "../random/random";
import type { Shuffle } from "./image-set";

export interface EpochOrder {
  /** Numbers of the images at positions `from` … `from + count − 1` of an epoch. */
  images(at: { readonly epoch: number; readonly from: number; readonly count: number }): Int32Array;
}

export function createEpochOrder({
  seed,
  images,
  shuffle = null,
}: {
  readonly seed: number;
  readonly images: number;
  readonly shuffle?: Shuffle | null;
}): EpochOrder {
  /** The last two: batches that are read ahead reach into the next epoch. */
  const orders = new Map<number, Int32Array>();

  function orderOf(epoch: number): Int32Array {
    let order = orders.get(epoch);
    if (order === undefined) {
      const random = randomAt({ seed, purpose: "data.order", step: epoch });
      order =
        shuffle === null
          ? random.shuffle(Int32Array.from({ length: images }, (_, i) => i))
          : inRuns(shuffle, random, randomAt({ seed, purpose: "data.runs", step: epoch }));
      for (const old of [...orders.keys()].slice(0, -1)) orders.delete(old);
      orders.set(epoch, order);
    }
    return order;
  }

  return { images: ({ epoch, from, count }) => orderOf(epoch).slice(from, from + count) };
}

/** The runs in a new order, and through a buffer: each next image takes the place of one that leaves at random. */
function inRuns({ starts, buffer }: Shuffle, random: Random, ofRuns: Random): Int32Array {
  const images = starts.at(-1) ?? 0;
  const order = new Int32Array(images);
  const held = new Int32Array(Math.min(buffer, images));
  let [filled, at] = [0, 0];
  for (const run of ofRuns.shuffle(Int32Array.from({ length: starts.length - 1 }, (_, i) => i))) {
    for (let image = starts[run] ?? 0; image < (starts[run + 1] ?? 0); image++) {
      if (filled < held.length) {
        held[filled++] = image;
        continue;
      }
      const leaving = random.integer(held.length);
      order[at++] = held[leaving] ?? 0;
      held[leaving] = image;
    }
  }
  order.set(random.shuffle(held), at);
  return order;
}
