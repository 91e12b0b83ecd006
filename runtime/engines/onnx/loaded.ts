/** A recorded function bound to the memory of a store; between its graphs the devices reduce what lies in buckets. */
import { engineFailed } from "../../errors";
import type { EngineFunction, HostArray, LoadedFunction, Reducer } from "../engine";
import { mayOverwrite } from "./alias";
import { type Buckets, bucketsOf } from "./buckets";
import type { Recording } from "./cut";
import { resolveDim } from "./dims";
import { modelBytes, type NamedValue } from "./model";
import { record } from "./record";
import type { HostTensor, Runtime, Session, SessionSettings } from "./session";
import { allocate, type OnnxStore } from "./store";

export async function loadFunction(
  runtime: Runtime,
  fn: EngineFunction,
  store: OnnxStore,
  { settings, reducer }: { readonly settings: SessionSettings; readonly reducer: Reducer },
): Promise<LoadedFunction> {
  const recordings = record(fn, store.layout);
  const buckets = bucketsOf(recordings.flatMap(({ gives }) => gives));
  const graphs: LoadedGraph[] = [];
  for (const recording of recordings) {
    graphs.push(await loadGraph({ runtime, recording, store, buckets, settings }));
  }
  const run: LoadedFunction["run"] = async (inputs, lengths) => {
    const outputs = new Map<string, HostArray>();
    for (const [i, graph] of graphs.entries()) {
      if (i > 0) await reducer.allReduceMean(buckets.all);
      for (const [path, values] of await graph.run(inputs, lengths)) outputs.set(path, values);
    }
    return outputs;
  };
  return {
    run: (inputs, lengths) => store.exclusively(() => run(inputs, lengths)),
    release: () =>
      store.exclusively(async () => {
        for (const graph of graphs) await graph.release();
      }),
  };
}

interface LoadedGraph {
  run(...call: Parameters<LoadedFunction["run"]>): Promise<readonly (readonly [path: string, values: HostArray])[]>;
  release(): Promise<void>;
}

async function loadGraph(what: {
  readonly runtime: Runtime;
  readonly recording: Recording;
  readonly store: OnnxStore;
  readonly buckets: Buckets;
  readonly settings: SessionSettings;
}): Promise<LoadedGraph> {
  const { runtime, recording, store, buckets, settings } = what;
  const { name: functionName } = recording;
  const graphInputs = [
    ...recording.state.flatMap(({ input }) => input ?? []),
    ...recording.inputs,
    ...recording.lengths,
    ...recording.takes,
  ];
  const graphOutputs = [
    ...recording.state.flatMap(({ output }) => output ?? []),
    ...recording.outputs,
    ...recording.gives,
  ];
  const model = modelBytes({
    name: functionName,
    // onnxruntime walks back from the last node of the file first: written backwards, it runs them in our order.
    nodes: [...recording.nodes].reverse(),
    inputs: graphInputs,
    outputs: graphOutputs,
  });
  const session = await failing(`prepare ${functionName}`, () => runtime.createSession(model, settings));

  /** Results that cannot be written over what they replace, and where they have to go after the run. */
  const copies: { readonly from: Float32Array; readonly to: Float32Array }[] = [];
  for (const { segment, input, output } of recording.state) {
    const buffer = store.buffer(segment);
    const { shape } = segment;
    if (input !== null) session.bindInput(input.name, { type: "f32", shape, data: buffer });
    if (output === null) continue;
    const inPlace = input === null || mayOverwrite(recording.nodes, input.value, output.value);
    const data = inPlace ? buffer : allocate(segment.size);
    if (!inPlace) copies.push({ from: data, to: buffer });
    session.bindOutput(output.name, { type: "f32", shape, data });
  }
  const inBucket = ({ name, value }: NamedValue): [string, HostTensor] => {
    return [name, { type: "f32", shape: value.dims.map(Number), data: buckets.find(name) }];
  };
  for (const given of recording.gives) session.bindOutput(...inBucket(given));
  for (const taken of recording.takes) session.bindInput(...inBucket(taken));

  return {
    run: async (inputs, lengths) => {
      for (const input of recording.inputs) bindInput(session, input, inputs, lengths);
      for (const { name, length } of recording.lengths) {
        const data = BigInt64Array.of(BigInt(resolveDim(length, lengths)));
        session.bindInput(name, { type: "i64", shape: [1], data: stable(data) });
      }
      const outputs = recording.outputs.map(({ path, name, value }): [string, Float32Array] => {
        const shape = value.dims.map((dim) => resolveDim(dim, lengths));
        const data = allocate(shape.reduce((a, b) => a * b, 1));
        session.bindOutput(name, { type: "f32", shape, data });
        return [path, data];
      });
      await failing(`run ${functionName}`, () => session.run());
      for (const { from, to } of copies) to.set(from);
      return outputs;
    },
    release: () => session.release(),
  };
}

function bindInput(
  session: Session,
  { name, value }: NamedValue,
  inputs: ReadonlyMap<string, HostArray>,
  lengths: Readonly<Record<string, number>>,
): void {
  const path = name.slice("input.".length);
  const data = inputs.get(path);
  if (data === undefined) throw new Error(`internal: the input ${path} was not given`);
  const shape = value.dims.map((dim) => resolveDim(dim, lengths));
  const size = shape.reduce((a, b) => a * b, 1);
  const isRight = value.type === "i32" ? data instanceof Int32Array : data instanceof Float32Array;
  if (data.length !== size || !isRight) {
    throw new Error(
      `internal: the input ${path} should be ${value.type} [${shape.join(", ")}], not ${data.length} numbers`,
    );
  }
  session.bindInput(name, { type: value.type, shape, data: stable(data) });
}

/** The same numbers in memory that never moves: V8 keeps typed arrays of up to 64 bytes on its heap. */
function stable<T extends HostTensor["data"]>(data: T): T {
  if (data.byteLength > 64) return data;
  const buffer = new ArrayBuffer(64);
  const copy =
    data instanceof Float32Array
      ? new Float32Array(buffer, 0, data.length)
      : data instanceof Int32Array
        ? new Int32Array(buffer, 0, data.length)
        : new BigInt64Array(buffer, 0, data.length);
  copy.set(data as never);
  return copy as T;
}

async function failing<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw engineFailed({ what, why: cause instanceof Error ? cause.message : String(cause), cause });
  }
}
