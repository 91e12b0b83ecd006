/** Hands a typed generated function to the engines, which know its trees by their paths only. */
import type { Generated } from "../contract";

export const generated: Generated = (run) => (ops, state, inputs, lengths) =>
  // The engine builds both trees from the paths of the experiment (runtime/loop/state.ts, functions.ts), and the lengths
  // are those of its programs; the types of the generated code say the same.
  run(
    ops,
    state as Parameters<typeof run>[1],
    inputs as Parameters<typeof run>[2],
    lengths as Parameters<typeof run>[3],
  );
