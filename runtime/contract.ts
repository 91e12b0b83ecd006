/** The types through which a generated main.ts hands its functions to the trainer. */
import type { CreateEngine } from "./engines/engine";
import type { GeneratedFunction, Lengths, TrainerProgram } from "./experiment";
import type { Ops } from "./ops/ops";

/** Loads the engine of the experiment, the only one that its bundle holds. */
export type LoadEngine = () => Promise<{ readonly createEngine: CreateEngine }>;

/** Starts the trainer: reads flags, trains, sets the exit code. */
export type Train = (program: TrainerProgram, loadEngine: LoadEngine) => void;

/** A generated function as the engines see it: its trees are laid out by the paths in experiment.ts. */
export type Generated = <State, Inputs, Fixed extends Lengths>(
  run: (
    ops: Ops,
    state: State,
    inputs: Inputs,
    lengths: Fixed,
  ) => { readonly state: unknown; readonly outputs: unknown },
) => GeneratedFunction;
