/** A generated function on the device: its programs, and the runs that are queued there. */
import type { EngineFunction, HostArray, Inputs, LoadedFunction, Outputs, Reducer } from "../engine";
import { faultOf } from "../fault";
import { Means, type Reduced } from "./means";
import type { Buffer } from "./pjrt/buffer";
import type { Client } from "./pjrt/client";
import { fits, typeText } from "./pjrt/types";
import type { LengthValues, Parameter } from "./program";
import { type Compiled, type CompiledCall, type CompilerParts, Programs } from "./programs";
import type { XlaStore } from "./store";

/** A run that the devices have in their queues. */
interface Begun {
  /** Of each device. */
  readonly outputs: readonly (readonly (readonly [path: string, buffer: Buffer])[])[];
  readonly done: Promise<void>;
}

export async function loadFunction(
  parts: CompilerParts,
  fn: EngineFunction,
  store: XlaStore,
  reducer: Pick<Reducer, "allReduceMean">,
): Promise<LoadedFunction> {
  const { client } = parts;
  const programs = new Programs(parts, fn, store);
  await programs.prepare();
  const constants = new Constants(client, fn);
  const means = new Means(client, reducer);
  /** Runs that the devices have not ended. */
  const running = new Set<Promise<unknown>>();

  const failing = (cause: unknown): unknown => faultOf({ what: `run ${fn.name}`, cause });

  /** Queues a part on all devices; `reduced` has what its reductions gave, by device. */
  const beginPart = async (
    { program, executable }: Compiled,
    shares: readonly Inputs[],
    reduced: Reduced,
  ): Promise<Begun & { readonly gives: readonly (readonly Buffer[])[] }> => {
    const uploaded: Buffer[] = [];
    const rows = shares.map((inputs, device) =>
      program.parameters.map((parameter): Buffer => {
        if (parameter.from === "state") return store.buffer(parameter.path, device);
        if (parameter.from === "mean") return resultAt(reduced[device] ?? [], Number(parameter.path));
        const values = checked(parameter, inputs);
        const constant = constants.of(parameter, values, device);
        if (constant !== undefined) return constant;
        const buffer = client.upload(values, parameter, device);
        uploaded.push(buffer);
        return buffer;
      }),
    );
    const { results, done } = await executable.execute(rows);
    const before = program.replaced.flatMap((path, i) =>
      store.replace(
        path,
        results.map((row) => resultAt(row, i)),
      ),
    );
    const ended = done.finally(() => {
      for (const buffer of [...uploaded, ...before, ...reduced.flat()]) buffer.destroy();
      running.delete(ended);
    });
    running.add(ended);
    const at = program.replaced.length;
    const outputs = results.map((row) =>
      program.outputs.map((path, i): [string, Buffer] => [path, resultAt(row, at + i)]),
    );
    return { outputs, done: ended, gives: results.map((row) => row.slice(at + program.outputs.length)) };
  };

  const begin = async (shares: readonly Inputs[], { parts: made }: CompiledCall): Promise<Begun> => {
    const begun: Begun[] = [];
    let reduced: Reduced = [];
    for (const part of made) {
      const { gives, ...rest } = await beginPart(part, shares, reduced);
      begun.push(rest);
      if (part.program.reduced === 0) continue;
      await rest.done;
      reduced = await means.of(gives);
    }
    return {
      outputs: shares.map((_, device) => begun.flatMap(({ outputs }) => outputs[device] ?? [])),
      done: Promise.all(begun.map(({ done }) => done)).then(() => undefined),
    };
  };

  const finish = async ({ outputs, done }: Begun): Promise<readonly Outputs[]> => {
    try {
      await done;
      const read = async ([path, buffer]: readonly [string, Buffer]): Promise<[string, HostArray]> => [
        path,
        await floats(buffer),
      ];
      return await Promise.all(outputs.map(async (row) => new Map(await Promise.all(row.map(read)))));
    } catch (cause) {
      throw failing(cause);
    } finally {
      for (const [, buffer] of outputs.flat()) buffer.destroy();
    }
  };

  const queued = async (
    sharesOf: (devices: number) => readonly Inputs[],
    lengths: LengthValues,
  ): Promise<{ readonly outputs: Promise<readonly Outputs[]> }> => {
    try {
      const begun = await store.exclusively(async () => {
        const call = await programs.of(lengths);
        return begin(sharesOf(call.devices), call);
      });
      const outputs = finish(begun);
      // Whoever asks for them meets the error; until then it must not end the process.
      outputs.catch(() => undefined);
      return { outputs };
    } catch (cause) {
      throw failing(cause);
    }
  };

  return {
    queue: (shares, lengths) =>
      queued((devices) => {
        if (shares.length !== devices) throw new Error(`internal: ${shares.length} shares for ${devices} devices`);
        return shares;
      }, lengths),
    run: async (inputs, lengths) => {
      const { outputs } = await queued((devices) => Array.from({ length: devices }, () => inputs), lengths);
      const [first] = await outputs;
      if (first === undefined) throw new Error("internal: a run without devices");
      return first;
    },
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

/** Inputs that are the same at every call, copied to each device once. */
class Constants {
  readonly #buffers = new Map<string, { readonly values: HostArray; readonly buffer: Buffer }>();

  constructor(
    private readonly client: Client,
    private readonly fn: EngineFunction,
  ) {}

  /** Undefined: it is not constant. */
  of(parameter: Parameter, values: HostArray, device: number): Buffer | undefined {
    if (this.fn.inputs.get(parameter.path)?.constant !== true) return undefined;
    const key = `${device} ${parameter.path}`;
    const known = this.#buffers.get(key);
    if (known?.values === values) return known.buffer;
    // A queued step may still read the one before, so it goes only at the end.
    const buffer = this.client.upload(values, parameter, device);
    if (known !== undefined) this.#buffers.set(`${key} before ${this.#buffers.size}`, known);
    this.#buffers.set(key, { values, buffer });
    return buffer;
  }

  release(): void {
    for (const { buffer } of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
  }
}
