/** A recorded function on a GPU: state stays there, a call sends its inputs and gets its outputs. */
import type { EngineFunction, HostArray, LoadedFunction } from "../../engine";
import { faultOf } from "../../fault";
import { mayOverwrite } from "../alias";
import { bindLengths, bindOutputs, inputTensor, type Lengths, modelOf } from "../call";
import type { Recording } from "../cut";
import { type ModelParts, modelBytes, nodeNames } from "../model";
import { recordOne } from "../record";
import type { HostBuffer } from "../session";
import { pinned } from "../store";
import { type Device, type DeviceSession, type DeviceTensor, exclusively } from "./device";
import type { Placement } from "./placement";
import type { WebgpuStore } from "./store";

export interface WebgpuFunction extends LoadedFunction {
  /** e.g. "step: 1161 of 1194 nodes on the device, 33 computations of shapes on the CPU" */
  readonly placed: string;
}

export async function loadFunction(device: Device, fn: EngineFunction, store: WebgpuStore): Promise<WebgpuFunction> {
  const recording = recordOne(fn, store.layout, "webgpu");
  const parts = modelOf(recording);
  const session = await exclusively(() =>
    failing(`prepare ${fn.name} for the GPU`, () => device.createSession(modelBytes(parts))),
  );
  const placed = placementLine(parts, session.placement);

  const inPlace = new Set(
    recording.state.flatMap(({ input, output }) => {
      const isSafe =
        output !== null &&
        (input === null || mayOverwrite(recording.nodes, input.value, output.value, { writerReads: false }));
      return isSafe ? [output] : [];
    }),
  );
  const inputs = new Inputs(device, session, recording, fn);

  const run: LoadedFunction["run"] = async (given, lengths) => {
    await inputs.bind(given, lengths);
    for (const { segment, input, output } of recording.state) {
      const tensor = await store.current(segment);
      if (input !== null) session.bindInput(input.name, tensor);
      if (output !== null) session.bindOutput(output.name, inPlace.has(output) ? tensor : store.spare(segment));
    }
    const outputs = bindOutputs(session, recording, lengths);
    await failing(`run ${fn.name} on the GPU`, () => session.run());
    for (const { segment, output } of recording.state) {
      if (output !== null) store.replaced(segment, inPlace.has(output) ? "in place" : "spare");
    }
    return outputs;
  };
  return {
    placed,
    run: (given, lengths) => exclusively(() => run(given, lengths)),
    release: () =>
      exclusively(async () => {
        session.release();
        inputs.free();
      }),
  };
}

/** The inputs of a call as tensors of the device: one for each input and each of its shapes so far. */
class Inputs {
  readonly #tensors = new Map<string, DeviceTensor>();
  /** Constants that the device has already. */
  readonly #sent = new Map<string, HostBuffer>();

  constructor(
    private readonly device: Device,
    private readonly session: DeviceSession,
    private readonly recording: Recording,
    private readonly fn: EngineFunction,
  ) {}

  async bind(given: ReadonlyMap<string, HostArray>, lengths: Lengths): Promise<void> {
    const uploads: { from: HostBuffer; to: DeviceTensor }[] = [];
    for (const input of this.recording.inputs) {
      const { path, name } = input;
      const { type, shape, data } = inputTensor(input, given, lengths);
      const key = `${name} [${shape.join(", ")}]`;
      const tensor = this.#tensors.get(key) ?? this.device.allocate(type, shape);
      this.#tensors.set(key, tensor);
      this.session.bindInput(name, tensor);
      if (this.#sent.get(path) === data) continue;
      if (this.fn.inputs.get(path)?.constant) this.#sent.set(path, data);
      uploads.push({ from: pinned(data), to: tensor });
    }
    await this.device.upload(uploads);
    bindLengths(this.session, this.recording, lengths);
  }

  free(): void {
    for (const tensor of this.#tensors.values()) this.device.free(tensor);
    this.#tensors.clear();
  }
}

/** How many nodes run where. Throws if the CPU computes more than shapes: that would be slow without a warning. */
export function placementLine(parts: ModelParts, { onDevice, onCpu }: Placement): string {
  const names = nodeNames(parts);
  const ofShapes = new Set(
    parts.nodes.flatMap((node) => {
      const isWhole = (list: readonly ({ type: string } | null)[]): boolean =>
        list.every((value) => value === null || value.type === "i64");
      return isWhole(node.outputs) || isWhole(node.inputs) ? [names.get(node)] : [];
    }),
  );
  const strangers = onCpu.filter(({ name }) => !ofShapes.has(name)).map(({ op }) => op);
  if (strangers.length > 0) {
    throw new Error(`internal: WebGPU leaves ops of ${parts.name} to the CPU: ${[...new Set(strangers)].join(", ")}`);
  }
  if (onCpu.length === 0) return `${parts.name}: all ${onDevice} nodes on the device`;
  const all = onDevice + onCpu.length;
  return `${parts.name}: ${onDevice} of ${all} nodes on the device, ${onCpu.length} computations of shapes on the CPU`;
}

async function failing<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw faultOf({ what, cause });
  }
}
