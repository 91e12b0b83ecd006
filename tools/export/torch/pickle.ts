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
  return Buffer.concat([Uint8Array.of(0x80, 2), ...partsOf(value), code(".")]);
}

type Parts = readonly Uint8Array[];

const code = (letters: string): Uint8Array => Buffer.from(letters, "latin1");
const MARK = code("(");

function partsOf(value: Pickled): Parts {
  if (value === null) return [code("N")];
  if (typeof value === "boolean") return [Uint8Array.of(value ? 0x88 : 0x89)];
  if (typeof value === "string") return text(value);
  if (typeof value === "number") return [integer(value)];
  if (!("kind" in value)) return [code("]"), MARK, ...value.flatMap(partsOf), code("e")];
  switch (value.kind) {
    case "float":
      return [double(value.value)];
    case "tuple":
      return [MARK, ...value.items.flatMap(partsOf), code("t")];
    case "dict": {
      const empty = value.ordered ? code("ccollections\nOrderedDict\n)R") : code("}");
      return [empty, MARK, ...value.items.flat().flatMap(partsOf), code("u")];
    }
    case "tensor":
      return tensor(value);
  }
}

function tensor({ key, shape }: PickledTensor): Parts {
  const elements = shape.reduce((product, size) => product * size, 1);
  const storage = [MARK, ...text("storage"), code("ctorch\nFloatStorage\n"), ...text(key), ...text("cpu")];
  // Offset, shape, strides, no gradient, no hooks.
  const rest = [0, tuple(...shape), tuple(...stridesOf(shape)), false, ordered(new Map())];
  return [
    code("ctorch._utils\n_rebuild_tensor_v2\n("),
    ...storage,
    integer(elements),
    code("tQ"),
    ...rest.flatMap(partsOf),
    code("tR"),
  ];
}

function double(value: number): Uint8Array {
  const bytes = Buffer.alloc(9);
  bytes.write("G", "latin1");
  bytes.writeDoubleBE(value, 1);
  return bytes;
}

function text(value: string): Parts {
  const bytes = Buffer.from(value, "utf8");
  const head = Buffer.alloc(5);
  head.write("X", "latin1");
  head.writeUInt32LE(bytes.length, 1);
  return [head, bytes];
}

function integer(value: number): Uint8Array {
  if (!Number.isSafeInteger(value)) throw new Error(`internal: ${value} is no whole number`);
  if (value >= 0 && value < 256) return Uint8Array.of(0x4b, value);
  if (Math.abs(value) < 2 ** 31) {
    const bytes = Buffer.alloc(5);
    bytes.write("J", "latin1");
    bytes.writeInt32LE(value, 1);
    return bytes;
  }
  const bytes = Buffer.alloc(10);
  bytes.writeUInt8(0x8a, 0);
  bytes.writeUInt8(8, 1);
  bytes.writeBigInt64LE(BigInt(value), 2);
  return bytes;
}

function stridesOf(shape: readonly number[]): readonly number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
}
