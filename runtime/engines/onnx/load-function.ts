/** A recorded function bound to the memory of a store. */
import { engineFailed } from "../../errors";
import { messageOf } from "../../exceptions";
import type { EngineFunction, LoadedFunction } from "../engine";
import { mayOverwrite } from "./alias";
import { bindLengths, bindOutputs, inputTensor, modelOf } from "./call";
import { modelBytes } from "./model";
import { record } from "./record";
import type { Runtime, SessionSettings } from "./session";
import { allocate, type OnnxStore, pinned } from "./store";

export async function loadFunction(
  runtime: Runtime,
  fn: EngineFunction,
  store: OnnxStore,
  settings: SessionSettings,
): Promise<LoadedFunction> {
  const recording = record(fn, store.layout);
  const model = modelBytes(modelOf(recording));
  const session = await failing(`prepare ${fn.name}`, () => runtime.createSession(model, settings));

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

  const run: LoadedFunction["run"] = async (inputs, lengths) => {
    for (const input of recording.inputs) {
      const tensor = inputTensor(input, inputs, lengths);
      session.bindInput(input.name, { ...tensor, data: pinned(tensor.data) });
    }
    bindLengths(session, recording, lengths);
    const outputs = bindOutputs(session, recording, lengths);
    await failing(`run ${fn.name}`, () => session.run());
    for (const { from, to } of copies) to.set(from);
    return outputs;
  };
  return {
    run: (inputs, lengths) => store.exclusively(() => run(inputs, lengths)),
    release: () => store.exclusively(() => session.release()),
  };
}

async function failing<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw engineFailed({ what, why: messageOf(cause), cause });
  }
}
