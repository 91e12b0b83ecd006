/** Hands a typed generated function to the engines, which know its trees by their paths only. */
import type { Generated } from "../contract";
import type { TensorSpec } from "../engines/engine";
import type { Tree } from "../ops/tree";

export const generated: Generated = (run, reads, inputs) => ({
  reads,
  // a SpecsOf is a tree of TensorSpec, which TypeScript cannot see before it knows the inputs
  inputs: inputs as Tree<TensorSpec>,
  run: (ops, state, given, lengths) =>
    // The engine lays out both trees by `reads` and `inputs`, whose types are those of the function (see Generated), and
    // the lengths are those of the programs that the step was checked for.
    run(
      ops,
      state as Parameters<typeof run>[1],
      given as Parameters<typeof run>[2],
      lengths as Parameters<typeof run>[3],
    ),
});
