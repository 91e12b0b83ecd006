/**
 * The C interface of the onnxruntime library that onnxruntime-node brings along, called through koffi. Positions in
 * the function table and signatures are facts of onnxruntime_c_api.h; the table only ever grows at its end.
 */
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { resolveExternal } from "../external";
import { type Argument, type Callable, type Library, loadKoffi, type Pointer } from "../koffi";
import { switchOffTelemetry } from "./telemetry";

export type { Pointer };

/** Versions of the table that are asked for: the oldest that has what a CPU needs, and the oldest that has all below. */
const API_VERSION = 11;
const DEVICES_VERSION = 23;
/** Entries of those versions that are looked at. */
const ENTRIES = { [API_VERSION]: 180, [DEVICES_VERSION]: 387 } as const;

/** Position in OrtApi and arguments; all give an OrtStatus, null where all went well. */
const STATUS_FUNCTIONS = {
  CreateEnv: [3, "int, const char *, _Out_ void **"],
  CreateSessionFromArray: [8, "void *, const void *, size_t, void *, _Out_ void **"],
  CreateSessionOptions: [10, "_Out_ void **"],
  EnableProfiling: [14, "void *, const char *"],
  DisableMemPattern: [17, "void *"],
  SetSessionLogSeverityLevel: [22, "void *, int"],
  SetSessionGraphOptimizationLevel: [23, "void *, int"],
  SetIntraOpNumThreads: [24, "void *, int"],
  SetInterOpNumThreads: [25, "void *, int"],
  CreateTensorAsOrtValue: [48, "void *, const int64_t *, size_t, int, _Out_ void **"],
  CreateTensorWithDataAsOrtValue: [49, "void *, void *, size_t, const int64_t *, size_t, int, _Out_ void **"],
  CreateMemoryInfo: [68, "const char *, int, int, int, _Out_ void **"],
  CreateCpuMemoryInfo: [69, "int, int, _Out_ void **"],
  GetAllocatorWithDefaultOptions: [78, "_Out_ void **"],
  SessionEndProfiling: [110, "void *, void *, _Out_ void **"],
  AddSessionConfigEntry: [130, "void *, const char *, const char *"],
  CreateAllocator: [131, "void *, void *, _Out_ void **"],
  RunWithBinding: [133, "void *, void *, void *"],
  CreateIoBinding: [134, "void *, _Out_ void **"],
  BindInput: [136, "void *, const char *, void *"],
  BindOutput: [137, "void *, const char *, void *"],
  CreateAndRegisterAllocator: [144, "void *, void *, void *"],
  CreateArenaCfgV2: [164, "const char **, const size_t *, size_t, _Out_ void **"],
} as const;

/** The same, of the version that has devices. */
const DEVICE_FUNCTIONS = {
  SessionOptionsAppendExecutionProvider: [216, "void *, const char *, const char **, const char **, size_t"],
  SetUserLoggingFunction: [266, "void *, void *, void *"],
  CopyTensors: [386, "void *, const void **, const void **, void *, size_t"],
} as const;

const RELEASE_FUNCTIONS = {
  ReleaseStatus: 93,
  ReleaseMemoryInfo: 94,
  ReleaseSession: 95,
  ReleaseValue: 96,
  ReleaseSessionOptions: 100,
  ReleaseAllocator: 132,
  ReleaseIoBinding: 135,
  ReleaseArenaCfg: 157,
} as const;

type StatusName = keyof typeof STATUS_FUNCTIONS | keyof typeof DEVICE_FUNCTIONS;
type ReleaseName = keyof typeof RELEASE_FUNCTIONS;

export interface CApi {
  readonly version: string;
  /** Held, because koffi unloads a library without references, even while its functions are in use. */
  readonly library: Library;
  /** Throws with the library's message where it reports an error. */
  call(name: StatusName, ...args: readonly Argument[]): void;
  /** The same for functions that create something through their last argument. */
  create(name: StatusName, ...args: readonly Argument[]): Pointer;
  /** The same on another thread. */
  callAsync(name: StatusName, ...args: readonly Argument[]): Promise<void>;
  createAsync(name: StatusName, ...args: readonly Argument[]): Promise<Pointer>;
  release(name: ReleaseName, pointer: Pointer): void;
  /** Whether the library has what devices need: memory of theirs, copies to and fro, a function that receives its log. */
  readonly devices: boolean;
  /** Calls `heard` with each message that sessions with these options log. Call `end` after the last such session. */
  listen(options: Pointer, heard: (message: string) => void): { readonly end: () => void };
  addressOf(buffer: ArrayBufferView): Pointer;
}

let loaded: CApi | undefined;

/** Throws where koffi or the library is missing; the caller then takes the Node binding. */
export function loadCApi(): CApi {
  loaded ??= load();
  return loaded;
}

function libraryPath(): string {
  const manifest = resolveExternal("onnxruntime-node/package.json");
  // The package may not export its manifest; its main file lies in dist/.
  const main = manifest === undefined ? resolveExternal("onnxruntime-node") : undefined;
  const root = manifest !== undefined ? dirname(manifest) : main !== undefined ? dirname(dirname(main)) : undefined;
  if (root === undefined) throw new Error("onnxruntime-node is not installed");
  const folder = join(root, "bin", "napi-v6", process.platform, process.arch);
  const file = existsSync(folder)
    ? readdirSync(folder).find((name) => /^(libonnxruntime\.(so\.1|1\.dylib)|onnxruntime\.dll)$/.test(name))
    : undefined;
  if (file === undefined) throw new Error(`no onnxruntime library in ${folder}`);
  return join(folder, file);
}

function load(): CApi {
  const koffi = loadKoffi();
  switchOffTelemetry();
  const library = koffi.load(libraryPath());
  const base = library.func("void *OrtGetApiBase()")() as Pointer;
  const pointers = (at: Pointer, count: number): Pointer[] =>
    koffi.decode(at, koffi.array("void *", count)) as Pointer[];
  const callable = (at: Pointer | undefined, definition: string): Callable => {
    if (at === undefined) throw new Error("internal: a function is missing in OrtApi");
    return koffi.decode(at, koffi.proto(definition)) as Callable;
  };
  const [getApi, getVersion] = pointers(base, 2);
  const version = callable(getVersion, "const char *OrtVersion()")() as string;
  const tableOf = callable(getApi, "void *OrtGetApi(uint32_t)");
  const complete = tableOf(DEVICES_VERSION) as Pointer | null;
  const devices = complete !== null;
  const table = complete ?? (tableOf(API_VERSION) as Pointer | null);
  if (table === null) throw new Error(`onnxruntime ${version} does not offer version ${API_VERSION} of its interface`);
  const functions = pointers(table, ENTRIES[devices ? DEVICES_VERSION : API_VERSION]);

  const status = new Map<string, Callable>();
  const known = devices ? { ...STATUS_FUNCTIONS, ...DEVICE_FUNCTIONS } : STATUS_FUNCTIONS;
  for (const [name, [position, args]] of Object.entries(known)) {
    status.set(name, callable(functions[position], `void *Ort${name}(${args})`));
  }
  const release = new Map<string, Callable>();
  for (const [name, position] of Object.entries(RELEASE_FUNCTIONS)) {
    release.set(name, callable(functions[position], `void Ort${name}(void *)`));
  }
  const message = callable(functions[2], "const char *OrtGetErrorMessage(void *)");
  const find = (functionsOf: ReadonlyMap<string, Callable>, name: string): Callable => {
    const found = functionsOf.get(name);
    if (found === undefined) throw new Error(`internal: no function ${name}`);
    return found;
  };
  const check = (result: Pointer | null): void => {
    if (result === null) return;
    const text = message(result) as string;
    find(release, "ReleaseStatus")(result);
    throw new Error(text);
  };
  const callAsync = (name: StatusName, ...args: readonly Argument[]): Promise<void> =>
    new Promise((resolve, reject) => {
      find(status, name).async(...args, (error, result) => {
        try {
          if (error !== null) throw error;
          check(result);
          resolve();
        } catch (cause) {
          reject(cause);
        }
      });
    });
  const created = (out: readonly (bigint | null)[]): Pointer => {
    const [pointer] = out;
    if (pointer === undefined || pointer === null) throw new Error("internal: onnxruntime created nothing");
    return pointer;
  };
  const logged = koffi.proto(`void OrtLogged(void *, int, ${new Array(4).fill("const char *").join(", ")})`);
  return {
    version,
    library,
    devices,
    listen: (options, heard) => {
      const callback = koffi.register((...args) => heard(String(args[5])), koffi.pointer(logged));
      check(find(status, "SetUserLoggingFunction")(options, callback, null) as Pointer);
      return { end: () => koffi.unregister(callback) };
    },
    call: (name, ...args) => check(find(status, name)(...args) as Pointer),
    create: (name, ...args) => {
      const out: bigint[] = [0n];
      check(find(status, name)(...args, out) as Pointer);
      return created(out);
    },
    callAsync,
    createAsync: async (name, ...args) => {
      const out: bigint[] = [0n];
      await callAsync(name, ...args, out);
      return created(out);
    },
    release: (name, pointer) => {
      find(release, name)(pointer);
    },
    addressOf: (buffer) => koffi.address(buffer),
  };
}
