/** k-NN classification by cosine similarity with weighted votes, as DINO does it (k = 20, temperature .07). */
import { type Features, unitRows } from "./features";
import { type Matrix, matrix, productNT } from "./matrix";

/** The nearest training images of every test image, and how near: [images, neighbours], the nearest first. */
export interface Neighbours {
  readonly images: number;
  readonly neighbours: number;
  readonly index: Int32Array;
  /** Cosine of the angle between the features. */
  readonly similarity: Float64Array;
}

/** Of two that are equally near, the earlier one comes first. Fewer neighbours where there are fewer training images. */
export function nearest(train: Features, test: Features, neighbours: number): Neighbours {
  const count = Math.min(neighbours, train.images);
  const index = new Int32Array(test.images * count);
  const similarity = new Float64Array(test.images * count);
  const trainRows = unitRows(train);
  const testRows = unitRows(test);
  const blockImages = 64;
  for (let from = 0; from < test.images; from += blockImages) {
    const block = rowsOf(testRows, from, Math.min(blockImages, test.images - from));
    const similarities = matrix(block.rows, trainRows.rows);
    productNT(block, trainRows, similarities);
    for (let r = 0; r < block.rows; r++) {
      const at = (from + r) * count;
      selectLargest(
        similarities.values.subarray(r * trainRows.rows, (r + 1) * trainRows.rows),
        index.subarray(at, at + count),
        similarity.subarray(at, at + count),
      );
    }
  }
  return { images: test.images, neighbours: count, index, similarity };
}

/** Each neighbour votes for its class with weight exp(similarity / temperature). Equal votes: the lower class. */
export function voteOf(found: Neighbours, trainLabels: Int32Array, classes: number, temperature: number): Int32Array {
  const { images, neighbours } = found;
  const predicted = new Int32Array(images);
  const votes = new Float64Array(classes);
  for (let r = 0; r < images; r++) {
    votes.fill(0);
    // Relative to the nearest, so that no temperature overflows.
    const top = found.similarity[r * neighbours] ?? 0;
    for (let i = r * neighbours; i < (r + 1) * neighbours; i++) {
      const label = trainLabels[found.index[i] ?? 0] ?? 0;
      votes[label] = (votes[label] ?? 0) + Math.exp(((found.similarity[i] ?? 0) - top) / temperature);
    }
    predicted[r] = votes.indexOf(Math.max(...votes));
  }
  return predicted;
}

/** The largest values of `from`, in descending order, into `values` and their places into `places`. */
function selectLargest(from: Float64Array, places: Int32Array, values: Float64Array): void {
  const last = values.length - 1;
  values.fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < from.length; i++) {
    const value = from[i] ?? 0;
    if (value <= (values[last] ?? 0)) continue;
    let at = last;
    for (; at > 0 && (values[at - 1] ?? 0) < value; at--) {
      values[at] = values[at - 1] ?? 0;
      places[at] = places[at - 1] ?? 0;
    }
    values[at] = value;
    places[at] = i;
  }
}

function rowsOf({ columns, values }: Matrix, from: number, rows: number): Matrix {
  return { rows, columns, values: values.subarray(from * columns, (from + rows) * columns) };
}
