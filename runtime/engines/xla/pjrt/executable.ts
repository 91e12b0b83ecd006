/** A compiled program on its devices. */
import type { Pointer } from "../../koffi";
import type { Pjrt } from "./api";
import { Buffer } from "./buffer";
import { bytesAt, struct, words, wordsOf } from "./struct";
import { type TensorType, typeText } from "./types";

/** What a program takes and gives; XLA itself compares no more than the bytes of an argument. */
export interface ProgramTypes {
  readonly parameters: readonly TensorType[];
  readonly results: readonly TensorType[];
}

export interface Execution {
  /** Of each device. */
  readonly results: readonly (readonly Buffer[])[];
  /** Settles when the devices are done. It has to be awaited: it rejects where the program failed. */
  readonly done: Promise<void>;
}

/** In bytes. */
export interface CompiledMemory {
  readonly code: number;
  readonly arguments: number;
  readonly outputs: number;
  /** Of the outputs, those that take the place of arguments. */
  readonly aliased: number;
  readonly temporary: number;
}

export class Executable {
  #loaded: Pointer | null;
  readonly #executable: Pointer;
  /** Calls that the device has not ended; they use the executable. */
  #running = 0;
  #isReleased = false;

  constructor(
    private readonly pjrt: Pjrt,
    loaded: Pointer,
    readonly types: ProgramTypes,
  ) {
    this.#loaded = loaded;
    this.#executable = pjrt.call("LoadedExecutable_GetExecutable", { loaded }).executable;
    const { count } = pjrt.call("Executable_NumOutputs", { executable: this.#executable });
    if (Number(count) !== types.results.length) {
      this.release();
      throw new Error(`internal: the program gives ${count} results, not ${types.results.length}`);
    }
  }

  /**
   * Queues the program behind what the devices have to do; `rows` has the arguments of each device. Arguments that it may
   * overwrite are not to be used again. On another thread, since devices of several processes meet while it is queued.
   */
  async execute(rows: readonly (readonly Buffer[])[]): Promise<Execution> {
    const executable = this.#loaded;
    if (executable === null) throw new Error("internal: a program is run after its end");
    for (const row of rows) checkTypes(this.types, row);
    const { koffi } = this.pjrt;
    const argumentRows = rows.map((row) => wordsOf(row.map(({ pointer }) => pointer)));
    const resultRows = rows.map(() => words(this.types.results.length));
    const argumentLists = wordsOf(argumentRows.map((row) => koffi.address(row)));
    const outputLists = wordsOf(resultRows.map((row) => koffi.address(row)));
    const events = words(rows.length);
    const options = struct();
    const kept = [argumentRows, resultRows, argumentLists, outputLists, events, options];
    this.#running++;
    try {
      await this.pjrt.callAsync(
        "LoadedExecutable_Execute",
        {
          executable,
          options: koffi.address(options),
          argumentLists: koffi.address(argumentLists),
          deviceCount: BigInt(rows.length),
          argumentCount: BigInt(this.types.parameters.length),
          outputLists: koffi.address(outputLists),
          completeEvents: koffi.address(events),
        },
        kept,
      );
    } catch (error) {
      this.#ended();
      throw error;
    }
    const results = resultRows.map((row) =>
      this.types.results.map((type, i) => new Buffer(this.pjrt, row[i] ?? 0n, type)),
    );
    const done = this.#wait([...events], kept).finally(() => this.#ended());
    return { results, done };
  }

  /** For all devices, one after the other: each wait takes a thread, and they end together. */
  async #wait(events: readonly Pointer[], kept: unknown): Promise<void> {
    const failures: unknown[] = [];
    for (const event of events) await this.pjrt.wait(event, kept).catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }

  #ended(): void {
    this.#running--;
    if (this.#isReleased) this.release();
  }

  /** What the compiler says of its memory; null where it does not. */
  memory(): CompiledMemory | null {
    return compiledMemory(this.pjrt, this.#executable);
  }

  /** Bytes from which `deserialize` of the same plugin on the same machine makes it again. */
  serialize(): Uint8Array<ArrayBuffer> {
    const { bytes, size, owner, deleter } = this.pjrt.call("Executable_Serialize", { executable: this.#executable });
    const copy = bytesAt(this.pjrt.koffi, bytes, Number(size));
    destroyWith(this.pjrt, deleter, owner);
    return copy;
  }

  /** At once, or when what runs has ended. */
  release(): void {
    this.#isReleased = true;
    if (this.#loaded === null || this.#running > 0) return;
    const executable = this.#loaded;
    this.#loaded = null;
    this.pjrt.call("Executable_Destroy", { executable: this.#executable });
    this.pjrt.call("LoadedExecutable_Destroy", { executable });
  }
}

/** What the compiler says of an executable's memory; null where it does not. */
export function compiledMemory(pjrt: Pjrt, executable: Pointer): CompiledMemory | null {
  if (!pjrt.has("Executable_GetCompiledMemoryStats")) return null;
  try {
    const stats = pjrt.call("Executable_GetCompiledMemoryStats", { executable });
    return {
      code: Number(stats.code),
      arguments: Number(stats.args),
      outputs: Number(stats.output),
      aliased: Number(stats.alias),
      temporary: Number(stats.temporary),
    };
  } catch {
    return null;
  }
}

function destroyWith(pjrt: Pjrt, deleter: Pointer, owner: Pointer): void {
  // A decoded pointer to a function is one that can be called.
  const call = pjrt.koffi.decode(deleter, deleterType(pjrt)) as (owner: Pointer) => void;
  call(owner);
}

let deleterProto: object | undefined;

/** Names of types are koffi's for the whole process, so it is declared once. */
function deleterType({ koffi }: Pjrt): object {
  deleterProto ??= koffi.proto("void PjrtDeleter(void *)");
  return deleterProto;
}

/** XLA takes int32 for float32 without a word, and a wrong number of bytes only with an error at run time. */
function checkTypes({ parameters }: ProgramTypes, args: readonly Buffer[]): void {
  if (args.length !== parameters.length) {
    throw new Error(`internal: a program of ${parameters.length} parameters was given ${args.length} arguments`);
  }
  parameters.forEach((wanted, i) => {
    const found = args[i]?.tensor;
    if (found === undefined || typeText(found) !== typeText(wanted)) {
      throw new Error(`internal: argument ${i} is ${found && typeText(found)}, not ${typeText(wanted)}`);
    }
  });
}
