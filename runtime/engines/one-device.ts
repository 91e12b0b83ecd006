/** For engines that do not reduce over devices: the rules of a spec refuse them before (compiler/spec/hardware-rules.ts). */
import type { Reducer } from "./engine";

export function needsOneDevice(engine: string, reducer: Reducer | undefined): void {
  if (reducer !== undefined && reducer.size > 1) throw new Error(`internal: ${engine} does not reduce over devices`);
}
