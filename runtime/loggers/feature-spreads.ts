/** How the features of the judged encoder spread at an evaluation, for loggers that show it. */
import { type Features, statisticsOf } from "../evaluate/features";
import type { RunLoggers } from "./open";

/**
 * Null where nobody asks for it. Of the pooled features of the training images: the standard deviation of each feature over the
 * images (all near 0: images look the same; many at 0 and few not: few directions are in use), and the norm of each image's.
 */
export function featureSpreads({
  spread,
}: Pick<RunLoggers, "spread">): ((step: number, features: Features) => void) | null {
  if (spread === null) return null;
  return (step, features) => {
    spread(step, { name: "features/std", values: Float32Array.from(statisticsOf(features).std) });
    spread(step, { name: "features/norm", values: normsOf(features) });
  };
}

function normsOf({ images, dimension, values }: Features): Float32Array {
  const norms = new Float32Array(images);
  for (let i = 0; i < images; i++) {
    let square = 0;
    for (const value of values.subarray(i * dimension, (i + 1) * dimension)) square += value * value;
    norms[i] = Math.sqrt(square);
  }
  return norms;
}
