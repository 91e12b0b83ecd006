/**
 * Writes the pickle of a PyTorch checkpoint, protocol 2: dicts, lists, numbers, texts and tensors over storages of their own. It is
 * what torch.save writes of the same values, without its memo, and what torch.load takes with weights_only.
 */

/** A tensor of float32 in C order; its numbers lie in the archive under `key`. */
export interface PickledTensor {
  readonly kind: "tensor";
  readonly key: string;
  readonly shape: readonly number[];
}

export type Pickled =
  | null
  | boolean
  | string
  /** A whole number; a float is `{ float }`. */
  | number
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "tuple"; readonly items: readonly Pickled[] }
  | { readonly kind: "dict"; readonly ordered: boolean; readonly items: readonly (readonly [Pickled, Pickled])[] }
  | readonly Pickled[]
  | PickledTensor;

export const float = (value: number): Pickled => ({ kind: "float", value });
export const tuple = (...items: readonly Pickled[]): Pickled => ({ kind: "tuple", items });
/** A plain dict. */
export const dict = (items: Readonly<Record<string, Pickled>>): Pickled => ({
  kind: "dict",
  ordered: false,
  items: Object.entries(items),
});
export const numbered = (items: ReadonlyMap<number, Pickled>): Pickled => ({
  kind: "dict",
  ordered: false,
  items: [...items],
});
/** An OrderedDict, as state dicts are. */
export const ordered = (items: ReadonlyMap<string, Pickled>): Pickled => ({
  kind: "dict",
  ordered: true,
  items: [...items],
});

export function pickle(value: Pickled): Uint8Array {
  const out: Uint8Array[] = [Uint8Array.of(0x80, 2)];
  write(value, (bytes) => out.push(bytes));
  out.push(code("."));
  return Buffer.concat(out);
}

type Out = (bytes: Uint8Array) => void;

const code = (letter: string): Uint8Array => Buffer.from(letter, "latin1");
const MARK = code("(");

function write(value: Pickled, out: Out): void {
  if (value === null) return out(code("N"));
  if (typeof value === "boolean") return out(Uint8Array.of(value ? 0x88 : 0x89));
  if (typeof value === "string") return writeText(value, out);
  if (typeof value === "number") return writeInteger(value, out);
  if (isList(value)) return writeList(value, out);
  return writers[value.kind](value as never, out);
}

function isList(value: Exclude<Pickled, null | boolean | string | number>): value is readonly Pickled[] {
  return Array.isArray(value);
}

type Kinds = Extract<Pickled, { readonly kind: string }>;

const writers: { readonly [K in Kinds["kind"]]: (value: Extract<Kinds, { kind: K }>, out: Out) => void } = {
  float: ({ value }, out) => {
    const bytes = Buffer.alloc(9);
    bytes.write("G", "latin1");
    bytes.writeDoubleBE(value, 1);
    out(bytes);
  },
  tuple: ({ items }, out) => {
    out(MARK);
    for (const item of items) write(item, out);
    out(code("t"));
  },
  dict: ({ ordered: isOrdered, items }, out) => {
    out(isOrdered ? code("ccollections\nOrderedDict\n)R") : code("}"));
    out(MARK);
    for (const pair of items) for (const item of pair) write(item, out);
    out(code("u"));
  },
  tensor: ({ key, shape }, out) => {
    const elements = shape.reduce((product, size) => product * size, 1);
    out(code("ctorch._utils\n_rebuild_tensor_v2\n("));
    out(MARK);
    write("storage", out);
    out(code("ctorch\nFloatStorage\n"));
    for (const part of [key, "cpu", elements]) write(part, out);
    out(code("tQ"));
    // Offset, shape, strides, no gradient, no hooks.
    for (const part of [0, tuple(...shape), tuple(...stridesOf(shape)), false, ordered(new Map())]) write(part, out);
    out(code("tR"));
  },
};

function writeList(items: readonly Pickled[], out: Out): void {
  out(code("]"));
  out(MARK);
  for (const item of items) write(item, out);
  out(code("e"));
}

function writeText(text: string, out: Out): void {
  const bytes = Buffer.from(text, "utf8");
  const head = Buffer.alloc(5);
  head.write("X", "latin1");
  head.writeUInt32LE(bytes.length, 1);
  out(Buffer.concat([head, bytes]));
}

function writeInteger(value: number, out: Out): void {
  if (!Number.isSafeInteger(value)) throw new Error(`internal: ${value} is no whole number`);
  if (value >= 0 && value < 256) return out(Uint8Array.of(0x4b, value));
  if (Math.abs(value) < 2 ** 31) {
    const bytes = Buffer.alloc(5);
    bytes.write("J", "latin1");
    bytes.writeInt32LE(value, 1);
    return out(bytes);
  }
  const bytes = Buffer.alloc(10);
  bytes.writeUInt8(0x8a, 0);
  bytes.writeUInt8(8, 1);
  bytes.writeBigInt64LE(BigInt(value), 2);
  out(bytes);
}

function stridesOf(shape: readonly number[]): readonly number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
}
