/**
 * A recorded function, replayed op by op: every tensor is disposed right after the op that reads it last. Nothing waits
 * for the device before the outputs are downloaded.
 */
import type { EngineFunction, HostArray, LoadedFunction } from "../engine";
import { faultOf } from "../fault";
import { inputOf } from "../inputs";
import { kernelOf } from "../table";
import type { Tensor } from "./core";
import type { Kernels } from "./kernels";
import { tfjsOps } from "./ops/table";
import { type Handle, type Recording, type ResolvedOp, record, resolved } from "./record";
import { download, type TfjsStore } from "./store";

export function loadFunction(kernels: Kernels, fn: EngineFunction, store: TfjsStore): LoadedFunction {
  const recording = record(fn, store.specs);
  /** By the values of the lengths: there are as many as programs. */
  const programs = new Map<string, readonly ResolvedOp[]>();
  const programOf = (lengths: Readonly<Record<string, number>>): readonly ResolvedOp[] => {
    const key = recording.lengths.map((name) => lengths[name]).join();
    const known = programs.get(key) ?? resolved(recording, lengths);
    programs.set(key, known);
    return known;
  };
  return {
    run: (inputs, lengths) =>
      store.exclusively(async () => {
        const program = programOf(lengths);
        const given = recording.inputs.map((input) => checked(input, inputs, lengths, recording));
        try {
          kernels.activate();
          const outputs = await replay(kernels, recording, program, store, given);
          // A step never waits for the event loop; signals and the threads that prepare images have their turn here.
          await new Promise((done) => setImmediate(done));
          return outputs;
        } catch (cause) {
          throw faultOf({ what: `run ${fn.name}`, cause });
        }
      }),
    release: () => store.exclusively(() => undefined),
  };
}

interface Given {
  readonly handle: Handle;
  readonly values: HostArray;
  readonly shape: readonly number[];
}

function checked(
  { path, dtype, handle }: Recording["inputs"][number],
  inputs: ReadonlyMap<string, HostArray>,
  lengths: Readonly<Record<string, number>>,
  recording: Recording,
): Given {
  const shape = handle.shape.map((size) => (size < 0 ? (lengths[recording.lengths[-1 - size] ?? ""] ?? 0) : size));
  const values = inputOf(inputs, { path, dtype, shape });
  // Memory that threads share is refused by some backends.
  return { handle, shape, values: values.buffer instanceof SharedArrayBuffer ? values.slice() : values };
}

async function replay(
  kernels: Kernels,
  recording: Recording,
  program: readonly ResolvedOp[],
  store: TfjsStore,
  given: readonly Given[],
): Promise<ReadonlyMap<string, HostArray>> {
  const { ops, releases, replaced, outputs } = recording;
  const live = new Map<Handle, Tensor>();
  const givesWay = new Set(replaced.map(({ path }) => path));
  /** Tensors that are not the store's any more, or not yet. */
  const tensorOf = (handle: Handle): Tensor => {
    const tensor = live.get(handle);
    if (tensor === undefined) throw new Error(`internal: ${recording.name} reads what is not there`);
    return tensor;
  };
  const release = (handle: Handle): void => {
    tensorOf(handle).dispose();
    live.delete(handle);
  };
  /** The store's own, which stay whatever happens. */
  const lent = new Set<Handle>();
  try {
    for (const { path, handle } of recording.state) {
      const gives = givesWay.has(path);
      live.set(handle, gives ? store.take(path) : store.tensor(path));
      if (!gives) lent.add(handle);
    }
    for (const { handle, values, shape } of given) live.set(handle, kernels.upload(values, shape, handle.dtype));
    releases.before.forEach(release);
    ops.forEach(({ op, inputs }, i) => {
      const known = program[i];
      if (known === undefined) throw new Error("internal: an op without its shapes");
      const made = kernels.apply(() => kernelOf(tfjsOps, op)(kernels, inputs.map(tensorOf), known.attrs, known.shapes));
      ops[i]?.outputs.forEach((handle, at) => {
        const tensor = made[at];
        if (tensor === undefined) throw new Error(`internal: ${op} gave too little`);
        live.set(handle, tensor);
        const shape = known.shapes[at] ?? [];
        if (tensor.shape.length !== shape.length || shape.some((size, axis) => size !== tensor.shape[axis])) {
          throw new Error(`internal: ${op} made [${tensor.shape.join(", ")}], not [${shape.join(", ")}]`);
        }
      });
      releases.after[i]?.forEach(release);
    });
    const results = await Promise.all(
      outputs.map(async ({ path, handle }): Promise<[string, HostArray]> => [path, await download(tensorOf(handle))]),
    );
    for (const { path, handle } of replaced) {
      // Twice in the state, or the store's own under another path as well: a handle for each.
      const tensor = tensorOf(handle);
      const isFree = live.has(handle) && !lent.has(handle);
      store.put(path, isFree ? tensor : own(kernels, tensor));
      lent.add(handle);
    }
    return new Map(results);
  } finally {
    for (const [handle, tensor] of live) if (!lent.has(handle)) tensor.dispose();
  }
}

/** Another handle to the same numbers. */
function own(kernels: Kernels, tensor: Tensor): Tensor {
  const [copy] = kernels.apply(() => tensor);
  if (copy === undefined) throw new Error("internal: no copy");
  return copy;
}
