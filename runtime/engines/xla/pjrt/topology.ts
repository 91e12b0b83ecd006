/**
 * Devices that are described and need not be there: a plugin for CUDA compiles for cards of which this machine has none,
 * and says how much of their memory a program takes. What it compiles so cannot be run here.
 */
import type { Pointer } from "../../koffi";
import type { Pjrt } from "./api";
import { type CompileOptions, compileOptionsBytes } from "./compile-options";
import { type CompiledMemory, compiledMemory } from "./executable";
import { namedValues } from "./named-values";
import { programStruct } from "./program-struct";
import { fixedBytes, textBytes } from "./struct";

export interface TopologyOptions {
  /** The card, as a text of stream_executor.GpuTargetConfigProto. */
  readonly targetConfig: string;
  readonly slices: number;
  readonly hosts: number;
  /** Cards of one host. */
  readonly devices: number;
}

export interface CompiledForTopology {
  readonly outputs: number;
  /** Of each device; null where the plugin does not say. */
  readonly memory: CompiledMemory | null;
}

export class Topology {
  #topology: Pointer | null;

  private constructor(
    private readonly pjrt: Pjrt,
    topology: Pointer,
  ) {
    this.#topology = topology;
  }

  /** Throws PjrtError where the plugin knows no topologies or does not understand this one. */
  static async create(pjrt: Pjrt, { targetConfig, slices, hosts, devices }: TopologyOptions): Promise<Topology> {
    const { koffi } = pjrt;
    const options = namedValues(koffi, { target_config: targetConfig, topology: `${slices}x${hosts}x${devices}` });
    const name = textBytes("");
    const { topology } = await pjrt.callAsync(
      "TopologyDescription_Create",
      {
        name: koffi.address(name),
        nameSize: 0n,
        options: koffi.address(options.list),
        optionCount: options.count,
      },
      [name, options],
    );
    return new Topology(pjrt, topology);
  }

  /** Compiles StableHLO text on another thread. Throws PjrtError. */
  async compile(text: string, options: CompileOptions): Promise<CompiledForTopology> {
    if (this.#topology === null) throw new Error("internal: a topology is used after its end");
    const { koffi } = this.pjrt;
    const program = programStruct(koffi, text);
    const compileOptions = fixedBytes(compileOptionsBytes(options));
    const { executable } = await this.pjrt.callAsync(
      "Compile",
      {
        topology: this.#topology,
        program: koffi.address(program.struct),
        options: koffi.address(compileOptions),
        optionsSize: BigInt(compileOptions.length),
      },
      [program, compileOptions],
    );
    try {
      const { count } = this.pjrt.call("Executable_NumOutputs", { executable });
      return { outputs: Number(count), memory: compiledMemory(this.pjrt, executable) };
    } finally {
      this.pjrt.call("Executable_Destroy", { executable });
    }
  }

  release(): void {
    if (this.#topology === null) return;
    const topology = this.#topology;
    this.#topology = null;
    this.pjrt.call("TopologyDescription_Destroy", { topology });
  }
}
