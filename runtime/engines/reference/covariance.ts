/** Statistics of features over the rows of a batch, by rows − 1. */
import { at, axis, type Dense, fill } from "./tensor";

export interface Covariance {
  readonly rows: number;
  readonly width: number;
  /** x less the mean of its column, [rows, width]. */
  readonly centred: Dense;
  readonly cov: (i: number, j: number) => number;
}

export function covarianceOf(x: Dense): Covariance {
  const [rows, width] = [axis(x, 0), axis(x, 1)];
  const means = fill([width], (d) => {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += at(x, row * width + d);
    return sum / rows;
  });
  const centred = fill(x.shape, (i) => at(x, i) - at(means, i % width));
  const known = fill([width, width], (at2) => {
    const [i, j] = [Math.floor(at2 / width), at2 % width];
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += at(centred, row * width + i) * at(centred, row * width + j);
    return sum / (rows - 1);
  });
  return { rows, width, centred, cov: (i, j) => at(known, i * width + j) };
}
