/** A client of a plugin and its first device: what compiles programs and holds buffers. */
import type { DeviceMemory } from "../../engine";
import type { Pointer } from "../../koffi";
import { type Pjrt, PjrtError } from "./api";
import { Buffer } from "./buffer";
import { type CompileOptions, compileOptionsBytes } from "./compile-options";
import { Executable, type ProgramTypes } from "./executable";
import { IMMUTABLE_ONLY_DURING_CALL, NAMED_VALUE, NAMED_VALUE_TYPES, PROGRAM } from "./layout";
import { struct, textBytes, words, wordsAt } from "./struct";
import { elementTypes, fits, type HostNumbers, type TensorType, typeText } from "./types";

export type ClientOptions = Readonly<Record<string, number | string | boolean>>;

export class Client {
  #client: Pointer | null;
  readonly #device: Pointer;
  /** E.g. cpu, cuda, rocm, tpu. */
  readonly platform: string;
  /** E.g. NVIDIA H100 80GB HBM3. */
  readonly deviceKind: string;
  readonly deviceCount: number;

  private constructor(
    readonly pjrt: Pjrt,
    client: Pointer,
  ) {
    this.#client = client;
    const name = pjrt.call("Client_PlatformName", { client });
    this.platform = pjrt.text(name.name, name.size).toLowerCase();
    const { devices, count } = pjrt.call("Client_AddressableDevices", { client });
    const [device] = wordsAt(pjrt.koffi, devices, Number(count));
    if (device === undefined) throw new PjrtError("the plugin finds no device");
    this.#device = device;
    this.deviceCount = Number(count);
    const { description } = pjrt.call("Device_GetDescription", { device });
    const kind = pjrt.call("DeviceDescription_Kind", { description });
    this.deviceKind = pjrt.text(kind.kind, kind.size);
  }

  /** Throws PjrtError, e.g. where there is no such device on this machine or another process has its memory. */
  static async create(pjrt: Pjrt, options: ClientOptions = {}): Promise<Client> {
    const { list, keep } = namedValues(pjrt, options);
    const made = await pjrt.callAsync(
      "Client_Create",
      { options: pjrt.koffi.address(list), optionCount: BigInt(Object.keys(options).length) },
      [list, keep],
    );
    return new Client(pjrt, made.client);
  }

  get #pointer(): Pointer {
    if (this.#client === null) throw new Error("internal: a client is used after its end");
    return this.#client;
  }

  /** Compiles StableHLO text on another thread. */
  async compile(text: string, types: ProgramTypes, options: CompileOptions): Promise<Executable> {
    // XLA ends the process on an empty text.
    if (text.trim() === "") throw new Error("internal: an empty program");
    const { koffi } = this.pjrt;
    const code = textBytes(text);
    const format = textBytes("mlir");
    const compileOptions = textLike(compileOptionsBytes(options));
    const program = struct({
      [PROGRAM.code]: koffi.address(code),
      [PROGRAM.codeSize]: BigInt(code.length),
      [PROGRAM.format]: koffi.address(format),
      [PROGRAM.formatSize]: BigInt(format.length),
    });
    const { executable } = await this.pjrt.callAsync(
      "Client_Compile",
      {
        client: this.#pointer,
        program: koffi.address(program),
        options: koffi.address(compileOptions),
        optionsSize: BigInt(compileOptions.length),
      },
      [code, format, compileOptions, program],
    );
    return new Executable(this.pjrt, executable, types);
  }

  /** What `Executable.serialize` gave, on another thread. Throws PjrtError where the plugin does not take it. */
  async deserialize(bytes: Uint8Array<ArrayBuffer>, types: ProgramTypes): Promise<Executable> {
    if (bytes.length === 0) throw new PjrtError("nothing was serialised");
    const { executable } = await this.pjrt.callAsync(
      "Executable_DeserializeAndLoad",
      { client: this.#pointer, bytes: this.pjrt.koffi.address(bytes), size: BigInt(bytes.length) },
      bytes,
    );
    return new Executable(this.pjrt, executable, types);
  }

  /** Copies numbers to the device; the array may be changed as soon as this returns. */
  upload(values: HostNumbers, tensor: TensorType): Buffer {
    // A wrong type ends the process, and a wrong length would be read beyond the end.
    if (!fits(values, tensor)) {
      throw new Error(`internal: ${values.length} numbers of ${values.constructor.name} for ${typeText(tensor)}`);
    }
    const { koffi } = this.pjrt;
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
      device: this.#device,
    });
    this.pjrt.call("Event_Destroy", { event: doneWithHostBuffer });
    return new Buffer(this.pjrt, buffer, tensor);
  }

  /** Null where the device does not say (the processor does not). */
  memory(): DeviceMemory | null {
    if (!this.pjrt.has("Device_MemoryStats")) return null;
    try {
      const stats = this.pjrt.call("Device_MemoryStats", { device: this.#device });
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

/** The same bytes in memory that does not move. */
function textLike(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const fixed = new Uint8Array(new ArrayBuffer(Math.max(bytes.length, 128)), 0, bytes.length);
  fixed.set(bytes);
  return fixed;
}

function copyOf(values: HostNumbers): HostNumbers {
  const buffer = new ArrayBuffer(Math.max(values.byteLength, 128));
  new Uint8Array(buffer).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  if (values instanceof Float32Array) return new Float32Array(buffer, 0, values.length);
  if (values instanceof Int32Array) return new Int32Array(buffer, 0, values.length);
  if (values instanceof Uint16Array) return new Uint16Array(buffer, 0, values.length);
  return new Uint8Array(buffer, 0, values.length);
}

function namedValues(pjrt: Pjrt, options: ClientOptions) {
  const entries = Object.entries(options);
  const list = words(Math.max(1, entries.length * NAMED_VALUE.words));
  const keep: Uint8Array[] = [];
  const addressOf = (text: string): bigint => {
    const bytes = textBytes(text);
    keep.push(bytes);
    return pjrt.koffi.address(bytes);
  };
  entries.forEach(([name, value], i) => {
    const at = i * NAMED_VALUE.words;
    const set = (field: number, word: bigint): void => {
      list[at + field] = word;
    };
    set(0, BigInt(NAMED_VALUE.words * 8));
    set(NAMED_VALUE.name, addressOf(name));
    set(NAMED_VALUE.nameSize, BigInt(new TextEncoder().encode(name).length));
    if (typeof value === "string") {
      set(NAMED_VALUE.type, BigInt(NAMED_VALUE_TYPES.text));
      set(NAMED_VALUE.value, addressOf(value));
      set(NAMED_VALUE.valueSize, BigInt(new TextEncoder().encode(value).length));
    } else if (typeof value === "boolean") {
      set(NAMED_VALUE.type, BigInt(NAMED_VALUE_TYPES.boolean));
      set(NAMED_VALUE.value, value ? 1n : 0n);
      set(NAMED_VALUE.valueSize, 1n);
    } else {
      if (!Number.isInteger(value)) throw new Error(`internal: the client option ${name} is ${value}`);
      set(NAMED_VALUE.type, BigInt(NAMED_VALUE_TYPES.integer));
      set(NAMED_VALUE.value, BigInt.asUintN(64, BigInt(value)));
      set(NAMED_VALUE.valueSize, 1n);
    }
  });
  return { list, keep };
}
