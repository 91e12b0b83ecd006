/** A client of a plugin and its devices: what compiles programs and holds buffers. */
import type { DeviceMemory } from "../../engine";
import type { Pointer } from "../../koffi";
import { type Pjrt, PjrtError } from "./api";
import { Buffer } from "./buffer";
import { type CompileOptions, compileOptionsBytes } from "./compile-options";
import { Executable, type ProgramTypes } from "./executable";
import { IMMUTABLE_ONLY_DURING_CALL, type KeyValueCall } from "./layout";
import { type NamedValues, namedValues } from "./named-values";
import { programStruct } from "./program-struct";
import { fixedBytes, words, wordsAt } from "./struct";
import { elementTypes, fits, type HostNumbers, type TensorType, typeText } from "./types";

export type ClientOptions = NamedValues;

/** How the plugin tells and asks other processes; they are called from threads of its own. */
export type KeyValueCallbacks = Readonly<Partial<Record<KeyValueCall, Pointer>>>;

export class Client {
  #client: Pointer | null;
  readonly #devices: readonly Device[];
  /** E.g. cpu, cuda, rocm, tpu. */
  readonly platform: string;
  /** E.g. NVIDIA H100 80GB HBM3. */
  readonly deviceKind: string;
  /** Devices that the plugin finds for this process. */
  readonly found: number;

  private constructor(
    readonly pjrt: Pjrt,
    client: Pointer,
    most: number,
  ) {
    this.#client = client;
    const name = pjrt.call("Client_PlatformName", { client });
    this.platform = pjrt.text(name.name, name.size).toLowerCase();
    const found = devicesOf(pjrt, pjrt.call("Client_AddressableDevices", { client }));
    this.found = found.length;
    this.#devices = found.slice(0, most);
    const [first] = this.#devices;
    if (first === undefined) throw new PjrtError("the plugin finds no device");
    const kind = pjrt.call("DeviceDescription_Kind", { description: first.description });
    this.deviceKind = pjrt.text(kind.kind, kind.size);
  }

  /** Devices that are used of this process: their numbers in the client, in order. */
  get devices(): readonly number[] {
    return this.#devices.map(({ id }) => id);
  }

  /** Those of all processes that are one client, in the order of processes. */
  allDevices(): readonly number[] {
    return devicesOf(this.pjrt, this.pjrt.call("Client_Devices", { client: this.#pointer })).map(({ id }) => id);
  }

  /**
   * At most so many devices are used; there may be fewer. Throws PjrtError, e.g. where there is no such device on this
   * machine or another process has its memory.
   */
  static async create(
    pjrt: Pjrt,
    options: ClientOptions = {},
    { most = 1, keyValues = {} }: { readonly most?: number; readonly keyValues?: KeyValueCallbacks | undefined } = {},
  ): Promise<Client> {
    const named = namedValues(pjrt.koffi, options);
    const made = await pjrt.callAsync(
      "Client_Create",
      { options: pjrt.koffi.address(named.list), optionCount: named.count, ...keyValues },
      named,
    );
    return new Client(pjrt, made.client, most);
  }

  get #pointer(): Pointer {
    if (this.#client === null) throw new Error("internal: a client is used after its end");
    return this.#client;
  }

  /** Compiles StableHLO text on another thread. */
  async compile(text: string, types: ProgramTypes, options: CompileOptions): Promise<Executable> {
    const { koffi } = this.pjrt;
    const program = programStruct(koffi, text);
    const compileOptions = fixedBytes(compileOptionsBytes(options));
    const { executable } = await this.pjrt.callAsync(
      "Client_Compile",
      {
        client: this.#pointer,
        program: koffi.address(program.struct),
        options: koffi.address(compileOptions),
        optionsSize: BigInt(compileOptions.length),
      },
      [program, compileOptions],
    );
    return new Executable(this.pjrt, executable, types);
  }

  /** What `Executable.serialize` gave, on another thread. Throws PjrtError where the plugin does not take it. */
  async deserialize(bytes: Uint8Array<ArrayBuffer>, types: ProgramTypes): Promise<Executable> {
    if (bytes.length === 0) throw new PjrtError("nothing was serialized");
    const { executable } = await this.pjrt.callAsync(
      "Executable_DeserializeAndLoad",
      { client: this.#pointer, bytes: this.pjrt.koffi.address(bytes), size: BigInt(bytes.length) },
      bytes,
    );
    return new Executable(this.pjrt, executable, types);
  }

  /** Copies numbers to a device of this process; the array may be changed as soon as this returns. */
  upload(values: HostNumbers, tensor: TensorType, device = 0): Buffer {
    // A wrong type ends the process, and a wrong length would be read beyond the end.
    if (!fits(values, tensor)) {
      throw new Error(`internal: ${values.length} numbers of ${values.constructor.name} for ${typeText(tensor)}`);
    }
    const { koffi } = this.pjrt;
    const to = this.#devices[device];
    if (to === undefined) throw new Error(`internal: there is no device ${device}`);
    const { type, shape } = tensor;
    const dims = words(shape.length);
    shape.forEach((size, i) => {
      dims[i] = BigInt(size);
    });
    // Memory that threads share, and small arrays, which V8 moves.
    const still = values.buffer instanceof SharedArrayBuffer || values.byteLength <= 64 ? copyOf(values) : values;
    const { doneWithHostBuffer, buffer } = this.pjrt.call("Client_BufferFromHostBuffer", {
      client: this.#pointer,
      data: koffi.address(still),
      type: BigInt(elementTypes[type].code),
      dims: koffi.address(dims),
      rank: BigInt(shape.length),
      semantics: IMMUTABLE_ONLY_DURING_CALL,
      device: to.pointer,
    });
    this.pjrt.call("Event_Destroy", { event: doneWithHostBuffer });
    return new Buffer(this.pjrt, buffer, tensor);
  }

  /** Of the first device, which has as much to hold as the others; null where it does not say (the processor does not). */
  memory(): DeviceMemory | null {
    const [first] = this.#devices;
    if (first === undefined || !this.pjrt.has("Device_MemoryStats")) return null;
    try {
      const stats = this.pjrt.call("Device_MemoryStats", { device: first.pointer });
      // The marks are single bytes.
      const known = (value: bigint, mark: bigint): number | null => ((mark & 0xffn) === 0n ? null : Number(value));
      return {
        inUse: Number(stats.bytesInUse),
        peak: known(stats.peakBytesInUse, stats.peakIsSet),
        limit: known(stats.bytesLimit, stats.limitIsSet),
      };
    } catch (error) {
      if (error instanceof PjrtError) return null;
      throw error;
    }
  }

  /** After its executables and buffers. */
  release(): void {
    if (this.#client === null) return;
    const client = this.#client;
    this.#client = null;
    this.pjrt.call("Client_Destroy", { client });
  }
}

interface Device {
  readonly pointer: Pointer;
  readonly description: Pointer;
  readonly id: number;
  readonly process: number;
}

function devicesOf(pjrt: Pjrt, list: { readonly devices: bigint; readonly count: bigint }): readonly Device[] {
  return [...wordsAt(pjrt.koffi, list.devices, Number(list.count))]
    .map((pointer): Device => {
      const { description } = pjrt.call("Device_GetDescription", { device: pointer });
      // Both are single numbers of 32 bits.
      const half = (word: bigint): number => Number(word & 0xffffffffn);
      const id = half(pjrt.call("DeviceDescription_Id", { description }).id);
      const process = half(pjrt.call("DeviceDescription_ProcessIndex", { description }).process);
      return { pointer, description, id, process };
    })
    .sort((a, b) => a.process - b.process || a.id - b.id);
}

function copyOf(values: HostNumbers): HostNumbers {
  const buffer = new ArrayBuffer(Math.max(values.byteLength, 128));
  new Uint8Array(buffer).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  if (values instanceof Float32Array) return new Float32Array(buffer, 0, values.length);
  if (values instanceof Int32Array) return new Int32Array(buffer, 0, values.length);
  if (values instanceof Uint16Array) return new Uint16Array(buffer, 0, values.length);
  return new Uint8Array(buffer, 0, values.length);
}
