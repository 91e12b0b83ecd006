/** The check that every engine makes of what a call gives. */
import type { HostFormat } from "../ops/ops";
import type { HostArray } from "./engine";

const arrays = { f32: Float32Array, i32: Int32Array, u8: Uint8Array } as const satisfies {
  readonly [T in HostFormat]: unknown;
};

export interface ExpectedInput {
  readonly path: string;
  readonly dtype: HostFormat;
  readonly shape: readonly number[];
}

/** The numbers of an input. Throws where they are missing, of another type, or too many or few. */
export function inputOf(given: ReadonlyMap<string, HostArray>, { path, dtype, shape }: ExpectedInput): HostArray {
  const values = given.get(path);
  if (values === undefined) throw new Error(`internal: the input ${path} was not given`);
  if (!(values instanceof arrays[dtype]) || values.length !== shape.reduce((a, b) => a * b, 1)) {
    throw new Error(
      `internal: the input ${path} should be ${dtype} [${shape.join(", ")}], not ${values.length} numbers`,
    );
  }
  return values;
}
