/** The weights that training begins with (reference.md §3, "Init"). */
import type { Parameter } from "../experiment";
import { randomAt } from "../random/random";

/**
 * Fresh values of every parameter, by path, in the layout of the generated step. Each parameter has a stream of its own
 * (its seed and path), so that adding one never changes another. Normal values are not truncated: the reference cuts at
 * ±2, a hundred standard deviations, and its rare weights of exactly −2 are a slip that is left out.
 */
export function initialize(parameters: readonly Parameter[], seed: number): Map<string, Float32Array> {
  return new Map(parameters.map((parameter) => [parameter.path, initialValues(parameter, seed)]));
}

/** The values of one parameter alone, for those who write large models tensor by tensor. */
export function initialValues({ path, shape, init }: Parameter, seed: number): Float32Array {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  if (init.kind === "normal") randomAt({ seed, purpose: `init.${path}` }).fillNormal(values, init.std);
  else if (init.kind === "ones") values.fill(1);
  return values;
}
