/** For engines that do not reduce over devices: the rules of a spec refuse them before (compiler/spec/hardware-rules.ts). */
import type { Shape } from "../ops/ops";
import type { Reducer } from "./engine";

/** The shape of the shard of the only device: all of a tensor, flat. */
export function onlyShard({ shape }: { readonly shape: Shape }, length: number): readonly [number] {
  const elements = shape.reduce((product, size) => product * size, 1);
  if (length !== elements) throw new Error(`internal: a shard of ${length} of ${elements} numbers, on one device`);
  return [length];
}

export function needsOneDevice(engine: string, reducer: Reducer | undefined): void {
  if (reducer !== undefined && reducer.size > 1) throw new Error(`internal: ${engine} does not reduce over devices`);
}
