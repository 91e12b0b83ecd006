/** A recorded function bound to the memory of a store; between its graphs the devices reduce what lies in buckets. */
import type { EngineFunction, HostArray, LoadedFunction, Reducer } from "../engine";
import { faultOf } from "../fault";
import { mayOverwrite } from "./alias";
import { type Buckets, bucketsOf } from "./buckets";
import { bindLengths, bindOutputs, inputTensor, modelOf } from "./call";
import type { Recording } from "./cut";
import { type Gatherer, gathererOf } from "./gather";
import { modelBytes, type NamedValue } from "./model";
import { record } from "./record";
import type { HostTensor, Runtime, SessionSettings } from "./session";
import { allocate, type OnnxStore, pinned } from "./store";

export async function loadFunction(
  runtime: Runtime,
  fn: EngineFunction,
  store: OnnxStore,
  { settings, reducer, bucketBytes }: LoadSettings,
): Promise<LoadedFunction> {
  const recordings = record(fn, store.layout, "cpu", reducer);
  const most = Math.max(1, Math.floor(bucketBytes / Float32Array.BYTES_PER_ELEMENT));
  const buckets = bucketsOf(
    recordings.flatMap(({ gives }) => gives),
    most,
  );
  const gatherer = gathererOf(
    recordings.flatMap(({ shards }) => shards),
    { store, reducer, most },
  );
  const graphs: LoadedGraph[] = [];
  for (const recording of recordings) {
    graphs.push(await loadGraph({ runtime, recording, store, buckets, gatherer, settings }));
  }
  /** Behind the first graph and behind the second. */
  const meetings = [() => reducer.allReduceMean(buckets.all), gatherer.meet];
  const run: LoadedFunction["run"] = async (inputs, lengths) => {
    const outputs = new Map<string, HostArray>();
    for (const [i, graph] of graphs.entries()) {
      await meetings[i - 1]?.();
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

interface LoadSettings {
  readonly settings: SessionSettings;
  readonly reducer: Reducer;
  /** Of what the devices meet over at a time. */
  readonly bucketBytes: number;
}

type LoadedGraph = Pick<LoadedFunction, "run" | "release">;

async function loadGraph(what: {
  readonly runtime: Runtime;
  readonly recording: Recording;
  readonly store: OnnxStore;
  readonly buckets: Buckets;
  readonly gatherer: Gatherer;
  readonly settings: SessionSettings;
}): Promise<LoadedGraph> {
  const { runtime, recording, store, buckets, gatherer, settings } = what;
  const model = modelBytes(modelOf(recording));
  const session = await failing(`prepare ${recording.name}`, () => runtime.createSession(model, settings));

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
  const placed = ({ name, value }: NamedValue, data: Float32Array): [string, HostTensor] => {
    return [name, { type: "f32", shape: value.dims.map(Number), data }];
  };
  for (const given of recording.gives) session.bindOutput(...placed(given, buckets.find(given.name)));
  for (const taken of recording.takes) session.bindInput(...placed(taken, buckets.find(taken.name)));
  for (const shard of recording.shards) session.bindOutput(...placed(shard, gatherer.find(shard.name)));

  return {
    run: async (inputs, lengths) => {
      for (const input of recording.inputs) {
        const tensor = inputTensor(input, inputs, lengths);
        session.bindInput(input.name, { ...tensor, data: pinned(tensor.data) });
      }
      bindLengths(session, recording, lengths);
      const outputs = bindOutputs(session, recording, lengths);
      await failing(`run ${recording.name}`, () => session.run());
      for (const { from, to } of copies) to.set(from);
      return outputs;
    },
    release: () => session.release(),
  };
}

async function failing<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw faultOf({ what, cause });
  }
}
