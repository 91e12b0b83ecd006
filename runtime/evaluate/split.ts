/** Images with labels, as the data side gives them (openLabelledImages, runtime/data/labelled.ts), and parts of them. */

/** What the labels of a task are: 0 … classes − 1. */
export interface LabelTask {
  readonly name: string;
  readonly classes: number;
}

export interface LabelledSplit {
  readonly count: number;
  readonly tasks: readonly LabelTask[];
  labels(task: string): Int32Array;
  /** Images from … from + count − 1 as bytes: [count, 3, height, width]. */
  pixels(from: number, count: number): Promise<Uint8Array>;
  /** Whether image `index`, whose pixels were asked for, has none: it is left out. Absent where every image has. */
  isBad?(index: number): boolean;
}

/** Chosen images of a split; each is read alone. */
export function subsetOf(split: LabelledSplit, indices: readonly number[]): LabelledSplit {
  return {
    count: indices.length,
    tasks: split.tasks,
    isBad: (i) => split.isBad?.(indices[i] ?? 0) === true,
    labels: (task) => {
      const labels = split.labels(task);
      return Int32Array.from(indices, (index) => labels[index] ?? 0);
    },
    pixels: async (from, count) => {
      const images = indices.slice(from, from + count).map((index) => split.pixels(index, 1));
      return joined(await Promise.all(images), (length) => new Uint8Array(length));
    },
  };
}

/** At most so many images, evenly over the whole split: files in folders are sorted by class. */
export function atMost(split: LabelledSplit, images: number): LabelledSplit {
  if (split.count <= images) return split;
  return subsetOf(
    split,
    Array.from({ length: images }, (_, i) => Math.floor((i * split.count) / images)),
  );
}

/**
 * Every second image to choose on and the others to judge by: for evaluations during training, which must leave the test
 * split alone, and for data with only one held-out split.
 */
export function halvesOf(heldOut: LabelledSplit): { readonly validation: LabelledSplit; readonly test: LabelledSplit } {
  const half = (first: number): LabelledSplit =>
    subsetOf(
      heldOut,
      Array.from({ length: Math.ceil((heldOut.count - first) / 2) }, (_, i) => first + 2 * i),
    );
  return { validation: half(0), test: half(1) };
}

/** One array after the other in one that `make` gives. */
export function joined<T extends Float32Array | Uint8Array>(parts: readonly T[], make: (length: number) => T): T {
  const out = make(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
