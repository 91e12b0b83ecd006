/**
 * The compiled programs of a function, one for each set of lengths: taken from the cache, or compiled when they are needed
 * first. Where the function says which there will be, the likeliest is made before the first step and the others in turn
 * while steps run.
 */
import { messageOf } from "../../exceptions";
import { cacheKey, type FileCache } from "../../file-cache";
import type { EngineFunction, Precision } from "../engine";
import { faultOf } from "../fault";
import type { BuilderSettings } from "./builder";
import { programsAround } from "./cut";
import type { Client } from "./pjrt/client";
import type { CompileOptions } from "./pjrt/compile-options";
import type { Executable } from "./pjrt/executable";
import { type LengthValues, type Program, programOf } from "./program";
import type { XlaStore } from "./store";
import type { Target } from "./target";

export interface Compiled {
  readonly program: Program;
  readonly executable: Executable;
}

/** What one call runs, one after the other: several where the processes reduce in between. */
export interface CompiledCall {
  readonly parts: readonly Compiled[];
  /** Devices of this process that run it. */
  readonly devices: number;
}

export interface CompilerParts {
  readonly client: Client;
  readonly target: Target;
  readonly replicas: Replicas;
  readonly precision: Precision;
  readonly cache: FileCache;
  /** Everything but the program that a compiled program depends on. */
  readonly dependsOn: readonly string[];
  readonly progress: (line: string) => void;
}

/** Who runs the step together. */
export interface Replicas {
  /** Numbers of their devices, in the order of their shares of a batch: those that one program reduces over. */
  readonly joined: readonly number[];
  /** Other processes reduce between two programs. */
  readonly cutsReductions: boolean;
}

export class Programs {
  readonly #byLengths = new Map<string, Promise<CompiledCall>>();
  #isReleased = false;
  #begun = 0;
  /** Each once, the likeliest first. */
  readonly #expected: readonly LengthValues[];
  #background: Promise<void> = Promise.resolve();

  constructor(
    private readonly parts: CompilerParts,
    private readonly fn: EngineFunction,
    private readonly store: XlaStore,
  ) {
    const listed = fn.programs ?? (fn.lengths.length === 0 ? [{ lengths: {}, probability: 1 }] : []);
    const sorted = [...listed].sort((a, b) => b.probability - a.probability);
    this.#expected = [...new Map(sorted.map(({ lengths }) => [this.#keyOf(lengths), lengths])).values()];
  }

  /** Makes the likeliest program, and begins to make the others. */
  async prepare(): Promise<void> {
    const [first, ...others] = this.#expected;
    if (first === undefined) return;
    await this.of(first);
    this.#background = (async () => {
      for (const lengths of others) {
        if (this.#isReleased) return;
        // Whoever needs the program meets its error.
        await this.of(lengths).catch(() => undefined);
      }
    })();
  }

  #keyOf(lengths: LengthValues): string {
    return this.fn.lengths.map((name) => lengths[name]).join();
  }

  of(lengths: LengthValues): Promise<CompiledCall> {
    const key = this.#keyOf(lengths);
    const known = this.#byLengths.get(key);
    if (known !== undefined) return known;
    const made = this.#make(lengths);
    this.#byLengths.set(key, made);
    // It may be waited for much later.
    made.catch(() => undefined);
    return made;
  }

  async #make(lengths: LengthValues): Promise<CompiledCall> {
    const { target, progress } = this.parts;
    this.#begun++;
    const { attention, ...plain } = target;
    if (attention === undefined) return this.#madeFor(target, lengths);
    try {
      return await this.#madeFor(target, lengths);
    } catch (cause) {
      // The library may be missing, or not know these sizes; what generated code writes out does the same.
      progress(`${attention.name} cannot be used here: ${messageOf(cause)}`);
      return this.#madeFor(plain, lengths);
    }
  }

  async #madeFor(target: Target, lengths: LengthValues): Promise<CompiledCall> {
    const { client, replicas } = this.parts;
    const written = (settings: BuilderSettings): readonly Program[] => {
      const options = { state: this.store.specs, lengths, settings };
      return replicas.cutsReductions ? programsAround(this.fn, options) : [programOf(this.fn, options)];
    };
    const programs = written({ ...target, replicas: replicas.joined.length });
    // What replaces nothing need not be done on every device.
    const isShared = programs.some(({ replaced }) => replaced.length > 0);
    const devices = isShared ? replicas.joined : client.devices.slice(0, 1);
    const parts: Compiled[] = [];
    for (const program of isShared ? programs : written(target)) parts.push(await this.#compiled(program, devices));
    return { parts, devices: isShared ? client.devices.length : 1 };
  }

  async #compiled(program: Program, devices: readonly number[]): Promise<Compiled> {
    const { client, target, precision, cache, dependsOn, progress } = this.parts;
    const plain: CompileOptions = { replicas: devices.length, partitions: 1, devices };
    const options: CompileOptions = { ...plain, flags: target.flags[precision] ?? {} };
    const key = cacheKey([program.text, JSON.stringify(options), ...dependsOn]);
    const bytes = cache.get({ key, what: `a program of ${this.fn.name}`, read: (whole) => whole });
    if (bytes !== undefined) {
      try {
        return { program, executable: await client.deserialize(bytes, program.types) };
      } catch {
        // Of another build of the plugin, or whatever else the key does not know: made anew.
      }
    }
    const all = Math.max(this.#expected.length, this.#begun);
    progress(`compiling ${this.fn.name}${all === 1 ? "" : `, program ${this.#begun} of ${all}`} …`);
    let executable: Executable;
    try {
      executable = await this.#compile(program, options, plain);
    } catch (cause) {
      throw faultOf({ what: `compile ${this.fn.name}`, cause, compiles: true });
    }
    try {
      cache.put(key, executable.serialize());
    } catch {
      // Not every plugin can; the program is there all the same.
    }
    return { program, executable };
  }

  async #compile(program: Program, options: CompileOptions, plain: CompileOptions): Promise<Executable> {
    const { client } = this.parts;
    const flags = Object.keys(options.flags ?? {});
    try {
      return await client.compile(program.text, program.types, options);
    } catch (error) {
      // A flag of another version of XLA: what it switches off is not there.
      const isUnknown = flags.some((flag) => messageOf(error).includes(flag));
      if (!isUnknown) throw error;
      return await client.compile(program.text, program.types, plain);
    }
  }

  /** When what is being compiled is done; nothing more is begun. */
  async release(): Promise<void> {
    this.#isReleased = true;
    await this.#background;
    for (const made of this.#byLengths.values()) {
      const parts = await made.then((call) => call.parts).catch(() => []);
      for (const { executable } of parts) executable.release();
    }
    this.#byLengths.clear();
  }
}
