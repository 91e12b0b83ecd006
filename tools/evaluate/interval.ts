/** How sure a share is. */

/** Of the normal distribution, for 95 %. */
const z = 1.959963984540054;

/** A share of test images, 0…1, with its interval. */
export interface Accuracy {
  readonly value: number;
  /** Wilson's 95 % interval: of drawing other test images, not of training again. */
  readonly interval: readonly [low: number, high: number];
}

/** E. B. Wilson (1927): the shares that `value` on so many images does not rule out at 5 %. */
export function wilson(value: number, images: number): Accuracy {
  const square = z * z;
  const middle = (value + square / (2 * images)) / (1 + square / images);
  const half = (z / (1 + square / images)) * Math.sqrt((value * (1 - value)) / images + square / (4 * images * images));
  return { value, interval: [Math.max(0, middle - half), Math.min(1, middle + half)] };
}

/** Mean, and standard deviation with n − 1; 0 of one value. */
export function spreadOf(values: readonly number[]): { readonly mean: number; readonly std: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, std: values.length < 2 ? 0 : Math.sqrt(square / (values.length - 1)) };
}
