/**
 * A chain is a network as the step runs it: stages one after the other, each one function. The main input of a stage is
 * the output of the one before. A repeated stage runs once for every block of its range.
 */
import type { Graph } from "./graph";

export interface Stage {
  readonly graph: Graph;
  /** Blocks of the network that this stage runs: [from, to). Absent where it is not repeated. */
  readonly blocks?: { readonly network: NetworkName; readonly from: number; readonly to: number };
  /** True where the stage is one loop over its blocks; false where it is one block with other layers around it. */
  readonly repeated: boolean;
  /**
   * The name of a second value that runs beside the chain's, of a chain that nothing flows back through: the last output of
   * this stage is its next one. Absent where the stage leaves it as it is. An input of that name reads it.
   */
  readonly beside?: string;
  /** Names of the graphs that a pass has joined to this one, in order; absent where it is as the model made it. */
  readonly joined?: readonly string[];
}

/** The first name in the paths of a network's weights, e.g. `encoder`. */
export type NetworkName = string;

/** Stages in order of execution. The first input of every stage but the first is the chain's running value. */
export interface Chain {
  readonly name: string;
  /** Heading of its section in the generated step. */
  readonly title: string;
  readonly stages: readonly Stage[];
}

/** Which ends of a chain's loop a pass may join with the stages around it. */
export interface Ends {
  /** Join the stage before the loop with the first block; the name of the joined function. */
  readonly first?: string;
  /** Join the last block with the stage after the loop. */
  readonly last?: string;
}
