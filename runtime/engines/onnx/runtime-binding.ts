/**
 * onnxruntime by its Node package alone. Slower than its C interface: `run` blocks the event loop and copies every
 * output once more. Used where koffi does not load.
 */
import { requireExternal } from "../external";
import type { HostTensor, Runtime, Session, SessionSettings } from "./session";
import { switchOffTelemetry } from "./telemetry";

type TensorClass = new (type: string, data: HostTensor["data"], dims: readonly number[]) => object;

/** The part of onnxruntime-node's interface that is used here. */
interface OnnxRuntimeNode {
  readonly Tensor: TensorClass;
  readonly InferenceSession: {
    create(
      model: Uint8Array,
      options: object,
    ): Promise<{
      run(feeds: Record<string, object>, fetches: Record<string, object>): Promise<unknown>;
      endProfiling(): void;
      release(): Promise<void>;
    }>;
  };
  readonly env: { readonly versions: { readonly common?: string; readonly node?: string } };
}

const TYPE_NAMES = { f32: "float32", u8: "uint8", i32: "int32", u32: "uint32", i64: "int64" } as const;

export function bindingRuntime(): Runtime {
  switchOffTelemetry();
  // The package has these members by its own documentation; its types are not needed at run time.
  const ort = requireExternal("onnxruntime-node") as OnnxRuntimeNode;
  return {
    description: `onnxruntime-node ${ort.env.versions.node ?? ort.env.versions.common ?? ""}`.trim(),
    createSession: (model, settings) => createSession(ort, model, settings),
  };
}

async function createSession(ort: OnnxRuntimeNode, model: Uint8Array, settings: SessionSettings): Promise<Session> {
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ["cpu"],
    intraOpNumThreads: settings.threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "disabled",
    enableCpuMemArena: true,
    enableMemPattern: false,
    ...(settings.profilePrefix === undefined
      ? {}
      : { enableProfiling: true, profileFilePrefix: settings.profilePrefix }),
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  });
  const feeds: Record<string, object> = {};
  const fetches: Record<string, object> = {};
  const tensorOf = ({ type, data, shape }: HostTensor): object => new ort.Tensor(TYPE_NAMES[type], data, shape);
  // The binding refuses memory that threads share.
  const unshared = (tensor: HostTensor): HostTensor =>
    tensor.data.buffer instanceof SharedArrayBuffer ? { ...tensor, data: tensor.data.slice() } : tensor;
  return {
    bindInput: (name, tensor) => {
      feeds[name] = tensorOf(unshared(tensor));
    },
    bindOutput: (name, tensor) => {
      fetches[name] = tensorOf(tensor);
    },
    run: async () => {
      await session.run(feeds, fetches);
    },
    release: async () => {
      if (settings.profilePrefix !== undefined) session.endProfiling();
      await session.release();
    },
  };
}
