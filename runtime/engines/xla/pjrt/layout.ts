/**
 * Where things lie in the PJRT C interface: facts of pjrt_c_api.h, the same from version 0.81 to 0.115, since tables and
 * structs only ever grow at their ends. Positions in structs are in words of 8 bytes; every field that is used here is one
 * word, and so are the two that every struct begins with: its size, and a pointer to extensions.
 */

/** PJRT_Api: its size, extensions, and a struct with the version; then the functions. */
export const API = { structSize: 0, version: 4, firstFunction: 5 } as const;

/** Position of each function behind API.firstFunction. */
export const FUNCTIONS = {
  Error_Destroy: 0,
  Error_Message: 1,
  Plugin_Initialize: 3,
  Plugin_Attributes: 4,
  Event_Destroy: 5,
  Event_Await: 8,
  Client_Create: 10,
  Client_Destroy: 11,
  Client_PlatformName: 12,
  Client_Devices: 15,
  Client_AddressableDevices: 16,
  Client_Compile: 20,
  Client_BufferFromHostBuffer: 22,
  DeviceDescription_Id: 23,
  DeviceDescription_ProcessIndex: 24,
  DeviceDescription_Kind: 26,
  Device_GetDescription: 29,
  Device_MemoryStats: 34,
  Executable_Destroy: 40,
  Executable_NumOutputs: 44,
  Executable_Serialize: 49,
  LoadedExecutable_Destroy: 50,
  LoadedExecutable_GetExecutable: 51,
  LoadedExecutable_Execute: 55,
  Executable_DeserializeAndLoad: 56,
  Buffer_Destroy: 58,
  Buffer_ToHostBuffer: 70,
  TopologyDescription_Create: 82,
  TopologyDescription_Destroy: 83,
  Compile: 89,
  Executable_GetCompiledMemoryStats: 96,
} as const;

export type FunctionName = keyof typeof FUNCTIONS;

/** Those that an engine can do without: memory in numbers, and devices that are not there. */
export const OPTIONAL: ReadonlySet<FunctionName> = new Set<FunctionName>([
  "Device_MemoryStats",
  "TopologyDescription_Create",
  "TopologyDescription_Destroy",
  "Compile",
  "Executable_GetCompiledMemoryStats",
]);

/** Words of the argument structs, by function. What is not named stays zero. */
export const ARGS = {
  Error_Destroy: { error: 2 },
  Error_Message: { error: 2, message: 3, size: 4 },
  Plugin_Initialize: {},
  Plugin_Attributes: { attributes: 2, count: 3 },
  Event_Destroy: { event: 2 },
  Event_Await: { event: 2 },
  Client_Create: { options: 2, optionCount: 3, get: 4, put: 6, client: 8, tryGet: 10 },
  Client_Destroy: { client: 2 },
  Client_PlatformName: { client: 2, name: 3, size: 4 },
  Client_Devices: { client: 2, devices: 3, count: 4 },
  Client_AddressableDevices: { client: 2, devices: 3, count: 4 },
  Client_Compile: { client: 2, program: 3, options: 4, optionsSize: 5, executable: 6 },
  Client_BufferFromHostBuffer: {
    client: 2,
    data: 3,
    type: 4,
    dims: 5,
    rank: 6,
    semantics: 9,
    device: 10,
    doneWithHostBuffer: 13,
    buffer: 14,
  },
  DeviceDescription_Id: { description: 2, id: 3 },
  DeviceDescription_ProcessIndex: { description: 2, process: 3 },
  DeviceDescription_Kind: { description: 2, kind: 3, size: 4 },
  Device_GetDescription: { device: 2, description: 3 },
  Device_MemoryStats: { device: 2, bytesInUse: 3, peakBytesInUse: 4, peakIsSet: 5, bytesLimit: 16, limitIsSet: 17 },
  Executable_Destroy: { executable: 2 },
  Executable_NumOutputs: { executable: 2, count: 3 },
  Executable_Serialize: { executable: 2, bytes: 3, size: 4, owner: 5, deleter: 6 },
  LoadedExecutable_Destroy: { executable: 2 },
  LoadedExecutable_GetExecutable: { loaded: 2, executable: 3 },
  LoadedExecutable_Execute: {
    executable: 2,
    options: 3,
    argumentLists: 4,
    deviceCount: 5,
    argumentCount: 6,
    outputLists: 7,
    completeEvents: 8,
  },
  Executable_DeserializeAndLoad: { client: 2, bytes: 3, size: 4, executable: 5 },
  Buffer_Destroy: { buffer: 2 },
  Buffer_ToHostBuffer: { buffer: 2, destination: 4, size: 5, event: 6 },
  TopologyDescription_Create: { name: 2, nameSize: 3, options: 4, optionCount: 5, topology: 6 },
  TopologyDescription_Destroy: { topology: 2 },
  Compile: { topology: 2, program: 3, options: 4, optionsSize: 5, executable: 7 },
  Executable_GetCompiledMemoryStats: { executable: 2, code: 3, args: 4, output: 5, alias: 6, temporary: 7 },
} as const satisfies Readonly<Record<FunctionName, Readonly<Record<string, number>>>>;

/** An entry of a list of options or attributes; here the size is the distance between two entries. */
export const NAMED_VALUE = { words: 7, name: 2, nameSize: 3, type: 4, value: 5, valueSize: 6 } as const;
/** Low half of the word `type`. */
export const NAMED_VALUE_TYPES = { text: 0, integer: 1, integers: 2, float: 3, boolean: 4 } as const;

export const PROGRAM = { code: 2, codeSize: 3, format: 4, formatSize: 5 } as const;

/** The host's memory is copied before the call comes back. */
export const IMMUTABLE_ONLY_DURING_CALL = 0n;

/**
 * A plugin takes a struct that is larger than the one it knows and refuses a smaller one, and what it does not find set is
 * zero: so all structs are larger than any so far (Client_BufferFromHostBuffer has 120 bytes, ExecuteOptions 144,
 * Device_MemoryStats 192).
 */
export const STRUCT_BYTES = 320;

/** What a plugin calls to tell and to ask the other processes of its client; `given`: value, its size and what frees it. */
export const KEY_VALUE = {
  get: { key: 2, keySize: 3, timeoutMs: 4, failing: 5, given: 7, words: 10 },
  tryGet: { key: 2, keySize: 3, failing: 4, given: 6, words: 9 },
  put: { key: 2, keySize: 3, value: 4, valueSize: 5, failing: 6, given: 0, words: 8 },
} as const;

export type KeyValueCall = keyof typeof KEY_VALUE;
