/** The check that every engine makes of what a call gives. */
import type { HostFormat } from "../ops/ops";
import type { HostArray } from "./engine";

export interface ExpectedInput {
  readonly path: string;
  readonly dtype: HostFormat;
  readonly shape: readonly number[];
}

/** The numbers of an input. Throws where they are missing, of another type, or too many or few. */
export function inputOf(given: ReadonlyMap<string, HostArray>, { path, dtype, shape }: ExpectedInput): HostArray {
  const values = given.get(path);
  if (values === undefined) throw new Error(`internal: the input ${path} was not given`);
  const isOfType = dtype === "i32" ? values instanceof Int32Array : values instanceof Float32Array;
  if (!isOfType || values.length !== shape.reduce((a, b) => a * b, 1)) {
    throw new Error(
      `internal: the input ${path} should be ${dtype} [${shape.join(", ")}], not ${values.length} numbers`,
    );
  }
  return values;
}
