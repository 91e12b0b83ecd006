/** A generated function on the device: its programs, and the runs that are queued there. */
import { engineFailed, UserError } from "../../errors";
import { messageOf } from "../../exceptions";
import type { EngineFunction, HostArray, LoadedFunction, Outputs } from "../engine";
import type { Buffer } from "./pjrt/buffer";
import type { Client } from "./pjrt/client";
import { fits, typeText } from "./pjrt/types";
import type { LengthValues, Parameter } from "./program";
import { type CompilerParts, Programs } from "./programs";
import type { XlaStore } from "./store";

type Inputs = ReadonlyMap<string, HostArray>;

/** A run that the device has in its queue. */
interface Begun {
  readonly outputs: readonly (readonly [path: string, buffer: Buffer])[];
  readonly done: Promise<void>;
}

export async function loadFunction(parts: CompilerParts, fn: EngineFunction, store: XlaStore): Promise<LoadedFunction> {
  const { client } = parts;
  const programs = new Programs(parts, fn, store);
  await programs.prepare();
  const constants = new Constants(client, fn);
  /** Runs that the device has not ended. */
  const running = new Set<Promise<unknown>>();

  const failing = (cause: unknown): unknown => {
    const why = messageOf(cause);
    const isKnown = why.startsWith("internal:") || cause instanceof UserError;
    return isKnown ? cause : engineFailed({ what: `run ${fn.name}`, why, cause });
  };

  const begin = async (inputs: Inputs, lengths: LengthValues): Promise<Begun> => {
    const { program, executable } = await programs.of(lengths);
    const uploaded: Buffer[] = [];
    const args = program.parameters.map((parameter): Buffer => {
      if (parameter.from === "state") return store.buffer(parameter.path);
      const values = checked(parameter, inputs);
      const constant = constants.of(parameter, values);
      if (constant !== undefined) return constant;
      const buffer = client.upload(values, parameter);
      uploaded.push(buffer);
      return buffer;
    });
    const { results, done } = executable.execute(args);
    const before = program.replaced.map((path, i) => store.replace(path, resultAt(results, i)));
    const ended = done.finally(() => {
      for (const buffer of [...uploaded, ...before]) buffer?.destroy();
      running.delete(ended);
    });
    running.add(ended);
    const outputs = program.outputs.map((path, i): [string, Buffer] => [
      path,
      resultAt(results, program.replaced.length + i),
    ]);
    return { outputs, done: ended };
  };

  const finish = async ({ outputs, done }: Begun): Promise<Outputs> => {
    try {
      await done;
      return new Map(
        await Promise.all(
          outputs.map(async ([path, buffer]): Promise<[string, HostArray]> => [path, await floats(buffer)]),
        ),
      );
    } catch (cause) {
      throw failing(cause);
    } finally {
      for (const [, buffer] of outputs) buffer.destroy();
    }
  };

  const queue = async (inputs: Inputs, lengths: LengthValues): Promise<{ readonly outputs: Promise<Outputs> }> => {
    try {
      const begun = await store.exclusively(() => begin(inputs, lengths));
      const outputs = finish(begun);
      // Whoever asks for them meets the error; until then it must not end the process.
      outputs.catch(() => undefined);
      return { outputs };
    } catch (cause) {
      throw failing(cause);
    }
  };

  return {
    queue,
    run: async (inputs, lengths) => (await queue(inputs, lengths)).outputs,
    release: () =>
      store.exclusively(async () => {
        await Promise.allSettled(running);
        constants.release();
        await programs.release();
      }),
  };
}

function resultAt(results: readonly Buffer[], i: number): Buffer {
  const result = results[i];
  if (result === undefined) throw new Error("internal: a result is missing");
  return result;
}

async function floats(buffer: Buffer): Promise<HostArray> {
  const values = await buffer.read();
  if (values instanceof Float32Array || values instanceof Int32Array) return values;
  throw new Error(`internal: an output is ${typeText(buffer.tensor)}`);
}

function checked(parameter: Parameter, inputs: Inputs): HostArray {
  const { path, shape, type } = parameter;
  const values = inputs.get(path);
  if (values === undefined) throw new Error(`internal: the input ${path} was not given`);
  if (!fits(values, parameter)) {
    throw new Error(
      `internal: the input ${path} should be ${type} [${shape.join(", ")}], not ${values.length} numbers`,
    );
  }
  return values;
}

/** Inputs that are the same at every call, copied to the device once. */
class Constants {
  readonly #buffers = new Map<string, { readonly values: HostArray; readonly buffer: Buffer }>();

  constructor(
    private readonly client: Client,
    private readonly fn: EngineFunction,
  ) {}

  /** Undefined: it is not constant. */
  of(parameter: Parameter, values: HostArray): Buffer | undefined {
    if (this.fn.inputs.get(parameter.path)?.constant !== true) return undefined;
    const known = this.#buffers.get(parameter.path);
    if (known?.values === values) return known.buffer;
    // A queued step may still read the one before, so it goes only at the end.
    const buffer = this.client.upload(values, parameter);
    if (known !== undefined) this.#buffers.set(`${parameter.path} before ${this.#buffers.size}`, known);
    this.#buffers.set(parameter.path, { values, buffer });
    return buffer;
  }

  release(): void {
    for (const { buffer } of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
  }
}
