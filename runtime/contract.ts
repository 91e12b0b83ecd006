/** The types through which a generated main.ts hands its functions to the trainer. */
import type { EngineModule } from "./engines/engine";
import type { GeneratedFunction, TrainerProgram } from "./experiment";
import type { Ops } from "./ops/ops";
import type { StepSizes } from "./step/agree";
import type { Lengths } from "./step/lengths";
import type { SpecsOf, StateName } from "./step/trees";

/** Loads the engine of the experiment, the only one that its bundle holds. */
export type LoadEngine = () => Promise<EngineModule>;

/** A trainer with what its step.ts declares, which must agree with its experiment. */
export interface GeneratedTrainer extends TrainerProgram {
  readonly sizes: StepSizes;
}

/** Starts the trainer: reads flags, trains, sets the exit code. */
export type Train = (program: GeneratedTrainer, loadEngine: LoadEngine) => void;

/**
 * A typed generated function as the engines see it. What trees.ts says of its inputs must be what their types say; so the
 * handles that an engine lays out by it are those that the function was checked for. It may take a part of the lengths.
 */
export type Generated = <State extends object, Inputs extends object, Fixed extends Partial<Lengths>>(
  run: (ops: Ops, state: State, inputs: Inputs, lengths: Fixed) => { readonly state: object; readonly outputs: object },
  reads: readonly (keyof State & StateName)[],
  inputs: SpecsOf<Inputs>,
) => GeneratedFunction;
