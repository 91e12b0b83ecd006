/**
 * Reads the pickle inside a PyTorch checkpoint without running anything. A pickle is a program that may name any Python
 * function; this reader knows the few that state dicts are made of (ordered dicts, tensors over storages, numbers, texts)
 * and refuses every other by its name.
 */

/** Where a tensor's numbers lie: a range of a storage, in steps along each axis. */
export interface TorchTensor {
  readonly kind: "tensor";
  readonly storage: TorchStorage;
  /** First element in the storage. */
  readonly offset: number;
  readonly shape: readonly number[];
  /** Elements from one index to the next along each axis. */
  readonly strides: readonly number[];
}

export interface TorchStorage {
  readonly kind: "storage";
  readonly dtype: TorchDtype;
  /** Name of its file in the archive. */
  readonly key: string;
  readonly elements: number;
}

export type TorchDtype = "F64" | "F32" | "F16" | "BF16" | "I64" | "I32" | "I16" | "I8" | "U8" | "BOOL";

export type TorchDict = ReadonlyMap<TorchValue, TorchValue>;

export type TorchValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | TorchTensor
  | TorchStorage
  | { readonly kind: "type"; readonly name: string }
  | TorchDict
  | readonly TorchValue[];

/** Why a pickle is refused, for a person; the caller adds the name of the file. */
export class PickleError extends Error {}

const storages: Readonly<Record<string, TorchDtype>> = {
  DoubleStorage: "F64",
  FloatStorage: "F32",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
};

/** What a state dict may call, by name. */
const callables: Readonly<Record<string, (args: readonly TorchValue[]) => TorchValue>> = {
  "collections.OrderedDict": (args) => orderedDict(args),
  "torch._utils._rebuild_tensor_v2": (args) => tensor(args),
  "torch._utils._rebuild_parameter": ([data]) => (isTensor(data) ? data : refuse("a parameter without its tensor")),
  "torch.Size": ([sizes]) => (Array.isArray(sizes) ? sizes : refuse("torch.Size of something that is no tuple")),
};

function refuse(what: string): never {
  throw new PickleError(what);
}

function isTensor(value: TorchValue | undefined): value is TorchTensor {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "tensor";
}

function isStorage(value: TorchValue | undefined): value is TorchStorage {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "storage";
}

export function isDict(value: TorchValue | undefined): value is TorchDict {
  return value instanceof Map;
}

function orderedDict([items]: readonly TorchValue[]): TorchDict {
  if (items === undefined) return new Map();
  if (!Array.isArray(items)) return refuse("an OrderedDict of something that is no list");
  return new Map(
    items.map((item: TorchValue): [TorchValue, TorchValue] => {
      const [key, value] = Array.isArray(item) ? (item as readonly TorchValue[]) : [];
      if (key === undefined || value === undefined) return refuse("an OrderedDict of something that is no pair");
      return [key, value];
    }),
  );
}

function tensor([storage, offset, shape, strides]: readonly TorchValue[]): TorchTensor {
  const sizes = (value: TorchValue | undefined): readonly number[] => {
    const isSizes = Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && Number(size) >= 0);
    return isSizes ? (value as readonly number[]) : refuse("a tensor whose shape or strides are no sizes");
  };
  if (!isStorage(storage)) return refuse("a tensor without a storage");
  if (!Number.isSafeInteger(offset) || Number(offset) < 0) return refuse("a tensor whose offset is no position");
  const [lengths, steps] = [sizes(shape), sizes(strides)];
  if (lengths.length !== steps.length) return refuse("a tensor with as many strides as it has no axes");
  const isEmpty = lengths.some((length) => length === 0);
  const last = lengths.reduce((at, length, axis) => at + (length - 1) * (steps[axis] ?? 0), Number(offset));
  if (!isEmpty && last >= storage.elements) return refuse("a tensor that reaches beyond its storage");
  return { kind: "tensor", storage, offset: Number(offset), shape: lengths, strides: steps };
}

function storageOf(id: TorchValue): TorchStorage {
  const [what, type, key, , elements] = Array.isArray(id) ? (id as readonly TorchValue[]) : [];
  const name = typeof type === "object" && type !== null && "kind" in type && type.kind === "type" ? type.name : "";
  const dtype = storages[name.replace(/^torch\./, "")];
  if (what !== "storage" || typeof key !== "string" || !Number.isSafeInteger(elements) || Number(elements) < 0) {
    return refuse("a reference to something that is no storage");
  }
  if (dtype === undefined || !name.startsWith("torch.")) return refuse(`a storage of the type ${name || "unknown"}`);
  return { kind: "storage", dtype, key, elements: Number(elements) };
}

/**
 * What a pickle may hold. One of 64 MB, which a ZIP archive of 60 kB can carry, makes as many empty lists: gigabytes. torch.save
 * puts a thousand items at a time on the stack, and a checkpoint of the largest model makes some ten thousand containers.
 */
const limits = { stack: 10_000, containers: 1_000_000, remembered: 1_000_000 } as const;

const MARK = Symbol("mark");
type Item = TorchValue | typeof MARK;

/** The value that a pickle makes; throws PickleError for everything that is not in a state dict. */
export function unpickle(bytes: Uint8Array): TorchValue {
  return new Unpickler(bytes).run();
}

class Unpickler {
  private at = 0;
  private readonly view: DataView;
  private readonly stack: Item[] = [];
  private readonly memo = new Map<number, TorchValue>();
  private containers = 0;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  run(): TorchValue {
    for (;;) {
      const code = this.byte();
      if (code === 0x2e) return this.pop(); // STOP
      const opcode = opcodes[code];
      if (opcode === undefined) throw new PickleError(`the pickle instruction 0x${code.toString(16).padStart(2, "0")}`);
      opcode(this);
    }
  }

  private take(count: number): number {
    const at = this.at;
    if (count > this.bytes.length - at) throw new PickleError("a pickle that ends in the middle");
    this.at += count;
    return at;
  }

  byte = (): number => this.view.getUint8(this.take(1));
  uint16 = (): number => this.view.getUint16(this.take(2), true);
  int32 = (): number => this.view.getInt32(this.take(4), true);
  uint32 = (): number => this.view.getUint32(this.take(4), true);
  float64 = (): number => this.view.getFloat64(this.take(8), false);

  slice(count: number): Uint8Array {
    const at = this.take(count);
    return this.bytes.subarray(at, at + count);
  }

  text(count: number): string {
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(this.slice(count));
    } catch (cause) {
      if (cause instanceof PickleError) throw cause;
      throw new PickleError("a text that is not UTF-8");
    }
  }

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw new PickleError("a pickle that ends in the middle");
    const text = this.text(end - this.at);
    this.at = end + 1;
    return text;
  }

  /** A signed whole number of any length, lowest byte first. */
  long(count: number): number | bigint {
    if (count > 64) throw new PickleError(`a number of ${count} bytes`);
    let value = 0n;
    const digits = this.slice(count);
    for (let i = digits.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(digits[i] ?? 0);
    const signed = count > 0 ? BigInt.asIntN(8 * count, value) : 0n;
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
  }

  push(value: Item): void {
    if (this.stack.length >= limits.stack) throw new PickleError(`more than ${limits.stack} values at a time`);
    this.stack.push(value);
  }

  /** A list, tuple or dict that is new. */
  pushNew(value: Item): void {
    this.containers++;
    if (this.containers > limits.containers) {
      throw new PickleError(`more than ${limits.containers} lists, tuples and dicts`);
    }
    this.push(value);
  }

  pop(): TorchValue {
    const value = this.stack.pop();
    if (value === undefined || value === MARK) throw new PickleError("a pickle that takes what is not there");
    return value;
  }

  /** Everything above the last mark, which goes too. */
  popMarked(): TorchValue[] {
    const mark = this.stack.lastIndexOf(MARK);
    if (mark < 0) throw new PickleError("a pickle that takes what is not there");
    return this.stack.splice(mark).slice(1) as TorchValue[]; // above the last mark there is no other
  }

  remember(index: number): void {
    const value = this.pop();
    if (this.memo.size >= limits.remembered) throw new PickleError(`more than ${limits.remembered} remembered values`);
    this.memo.set(index, value);
    this.push(value);
  }

  memorize(): void {
    this.remember(this.memo.size);
  }

  recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw new PickleError("a pickle that recalls what it did not remember");
    this.push(value);
  }

  global(module: string, name: string): void {
    const full = `${module}.${name}`;
    const known = Object.hasOwn(callables, full) || (module === "torch" && Object.hasOwn(storages, name));
    if (!known) throw new PickleError(`the Python object ${full}`);
    this.push({ kind: "type", name: full });
  }

  reduce(): void {
    const args = this.pop();
    const callee = this.pop();
    const name =
      typeof callee === "object" && callee !== null && "kind" in callee && callee.kind === "type" ? callee.name : "";
    const call = Object.hasOwn(callables, name) ? callables[name] : undefined;
    if (call === undefined || !Array.isArray(args)) throw new PickleError(`a call of ${name || "something unknown"}`);
    this.pushNew(call(args));
  }

  /** Attributes of an ordered dict, such as the version numbers of modules: of no use here. */
  build(): void {
    this.pop();
    const owner = this.pop();
    if (!isDict(owner)) throw new PickleError("attributes of something that is no dict");
    this.push(owner);
  }

  setItems(items: readonly TorchValue[]): void {
    const dict = this.pop();
    if (!(dict instanceof Map) || items.length % 2 !== 0) throw new PickleError("items of something that is no dict");
    for (let i = 0; i < items.length; i += 2) dict.set(items[i] ?? null, items[i + 1] ?? null);
    this.push(dict);
  }

  appendItems(items: readonly TorchValue[]): void {
    const list = this.pop();
    if (!Array.isArray(list)) throw new PickleError("entries of something that is no list");
    for (const item of items) list.push(item);
    this.push(list);
  }

  persistent(): void {
    this.pushNew(storageOf(this.pop()));
  }
}

/** The instructions of pickle protocols 2 to 4 that a state dict uses. */
const opcodes: Readonly<Record<number, (p: Unpickler) => void>> = {
  128: (p) => void p.byte(), // PROTO
  149: (p) => void p.slice(8), // FRAME
  40: (p) => p.push(MARK), // (
  48: (p) => void p.pop(), // 0
  49: (p) => void p.popMarked(), // 1
  78: (p) => p.push(null), // N
  136: (p) => p.push(true), // NEWTRUE
  137: (p) => p.push(false), // NEWFALSE
  74: (p) => p.push(p.int32()), // J
  75: (p) => p.push(p.byte()), // K
  77: (p) => p.push(p.uint16()), // M
  138: (p) => p.push(p.long(p.byte())), // LONG1
  139: (p) => p.push(p.long(p.uint32())), // LONG4
  71: (p) => p.push(p.float64()), // G
  88: (p) => p.push(p.text(p.uint32())), // X
  140: (p) => p.push(p.text(p.byte())), // SHORT_BINUNICODE
  84: (p) => p.push(p.text(p.uint32())), // T
  85: (p) => p.push(p.text(p.byte())), // U
  66: (p) => p.push(p.slice(p.uint32())), // B
  67: (p) => p.push(p.slice(p.byte())), // C
  41: (p) => p.pushNew([]), // )
  93: (p) => p.pushNew([]), // ]
  125: (p) => p.pushNew(new Map()), // }
  116: (p) => p.pushNew(p.popMarked()), // t
  108: (p) => p.pushNew(p.popMarked()), // l
  133: (p) => p.pushNew([p.pop()]), // TUPLE1
  134: (p) => p.pushNew([p.pop(), p.pop()].reverse()), // TUPLE2
  135: (p) => p.pushNew([p.pop(), p.pop(), p.pop()].reverse()), // TUPLE3
  97: (p) => p.appendItems([p.pop()]), // a
  101: (p) => p.appendItems(p.popMarked()), // e
  115: (p) => p.setItems([p.pop(), p.pop()].reverse()), // s
  117: (p) => p.setItems(p.popMarked()), // u
  113: (p) => p.remember(p.byte()), // q
  114: (p) => p.remember(p.uint32()), // r
  148: (p) => p.memorize(), // MEMOIZE
  104: (p) => p.recall(p.byte()), // h
  106: (p) => p.recall(p.uint32()), // j
  99: (p) => p.global(p.line(), p.line()), // c
  147: (p) => {
    const name = p.pop();
    const module = p.pop();
    if (typeof name !== "string" || typeof module !== "string") throw new PickleError("an object without a name");
    p.global(module, name);
  }, // STACK_GLOBAL
  82: (p) => p.reduce(), // R
  98: (p) => p.build(), // b
  81: (p) => p.persistent(), // Q
};
