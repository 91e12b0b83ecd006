/**
 * onnxruntime by its C interface: tensors are bound to the engine's own memory once, so that a run copies nothing,
 * and it runs on another thread, so that the event loop stays free.
 */
import { type CApi, loadCApi, type Pointer } from "./c-api";
import type { ElementType } from "./graph";
import type { HostTensor, Runtime, Session, SessionSettings } from "./session";

/** ONNXTensorElementDataType. */
export const ELEMENT_CODE: Record<ElementType, number> = { f32: 1, u8: 2, i32: 6, i64: 7, u32: 12 };
const WARNING = 2;
const FATAL = 4;
const NO_OPTIMISATION = 0;
const ARENA_ALLOCATOR = 1;
const DEVICE_ALLOCATOR = 0;
const DEFAULT_MEMORY = 0;

export interface Shared {
  readonly api: CApi;
  readonly env: Pointer;
  readonly memoryInfo: Pointer;
}

let shared: Shared | undefined;

/** What all sessions of this process have in common. */
export function sharedOf(api: CApi): Shared {
  if (shared !== undefined) return shared;
  const env = api.create("CreateEnv", WARNING, "ijepa");
  // One arena for all sessions. It grows by what is asked for instead of by doubling, which would leave up to half
  // of it unused.
  const arenaInfo = api.create("CreateCpuMemoryInfo", ARENA_ALLOCATOR, DEFAULT_MEMORY);
  const arena = api.create("CreateArenaCfgV2", ["arena_extend_strategy"], [1], 1);
  api.call("CreateAndRegisterAllocator", env, arenaInfo, arena);
  api.release("ReleaseArenaCfg", arena);
  const memoryInfo = api.create("CreateCpuMemoryInfo", DEVICE_ALLOCATOR, DEFAULT_MEMORY);
  shared = { api, env, memoryInfo };
  return shared;
}

export function cRuntime(): Runtime {
  const api = loadCApi();
  return {
    description: `onnxruntime ${api.version} by its C interface`,
    createSession: (model, settings) => createSession(sharedOf(api), model, settings),
  };
}

async function createSession(
  { api, env, memoryInfo }: Shared,
  model: Uint8Array,
  settings: SessionSettings,
): Promise<Session> {
  const options = api.create("CreateSessionOptions");
  api.call("DisableMemPattern", options);
  // What is an error comes back as one.
  api.call("SetSessionLogSeverityLevel", options, FATAL);
  api.call("SetSessionGraphOptimizationLevel", options, NO_OPTIMISATION);
  api.call("SetIntraOpNumThreads", options, settings.threads);
  api.call("SetInterOpNumThreads", options, 1);
  // Denormal numbers stay what they are. session.set_denormal_as_zero flushes them on the threads of the pool and on the
  // one that made the process's first session, not on every thread that runs one: the same run would end in other bits.
  api.call("AddSessionConfigEntry", options, "session.use_env_allocators", "1");
  // Threads that wait sleep instead of spinning: as fast alone, and a third faster beside threads that prepare images.
  api.call("AddSessionConfigEntry", options, "session.intra_op.allow_spinning", "0");
  if (settings.profilePrefix !== undefined) api.call("EnableProfiling", options, settings.profilePrefix);
  const session = await api.createAsync("CreateSessionFromArray", env, model, model.byteLength, options);
  api.release("ReleaseSessionOptions", options);
  const binding = api.create("CreateIoBinding", session);

  /** What is bound, so that its memory lives on and is not bound twice. */
  const bound = new Map<string, HostTensor>();
  const bind = (how: "BindInput" | "BindOutput", name: string, tensor: HostTensor): void => {
    const before = bound.get(name);
    if (before !== undefined && before.data === tensor.data && before.shape.join() === tensor.shape.join()) return;
    const value = api.create(
      "CreateTensorWithDataAsOrtValue",
      memoryInfo,
      tensor.data,
      tensor.data.byteLength,
      tensor.shape,
      tensor.shape.length,
      ELEMENT_CODE[tensor.type],
    );
    // The binding holds the value from here on.
    api.call(how, binding, name, value);
    api.release("ReleaseValue", value);
    bound.set(name, tensor);
  };
  return {
    bindInput: (name, tensor) => bind("BindInput", name, tensor),
    bindOutput: (name, tensor) => bind("BindOutput", name, tensor),
    run: () => api.callAsync("RunWithBinding", session, null, binding),
    release: async () => {
      if (settings.profilePrefix !== undefined) {
        api.create("SessionEndProfiling", session, api.create("GetAllocatorWithDefaultOptions"));
      }
      api.release("ReleaseIoBinding", binding);
      api.release("ReleaseSession", session);
      bound.clear();
    },
  };
}
