/** A recording has pixels that are normalized already. A step that wants bytes is given these, and leaves them as they are. */
import type { TensorSpec } from "../engines/engine";
import type { GeneratedFunction } from "../experiment";
import type { Ops } from "../ops/ops";
import { leavesOf, treeOf } from "../ops/tree";
import type { ReplayProgram } from "./follow";

const isSpec = (value: object): value is TensorSpec => "dtype" in value;

export function takingNormalized(program: ReplayProgram): ReplayProgram {
  const { own, mse } = program.observers;
  return {
    ...program,
    functions: program.functions.map((fn) => ({ ...fn, ...withoutBytes(fn) })),
    features: withoutBytes(program.features),
    observers: { own: withoutBytes(own), mse: mse && withoutBytes(mse) },
  };
}

function withoutBytes(fn: GeneratedFunction): GeneratedFunction {
  const inputs = leavesOf(fn.inputs, isSpec).map(
    ([path, spec]) => [path, spec.dtype === "u8" ? { ...spec, dtype: "f32" as const } : spec] as const,
  );
  return { ...fn, inputs: treeOf(inputs), run: (ops, ...rest) => fn.run(leavingPixels(ops), ...rest) };
}

/** `images` holds float32, whatever the type of the step says: both are one handle. */
function leavingPixels(ops: Ops): Ops {
  const asTheyAre: unknown = (images: unknown) => images;
  return { ...ops, normalizePixels: asTheyAre as Ops["normalizePixels"] };
}
