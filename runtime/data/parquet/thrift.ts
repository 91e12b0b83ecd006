/**
 * Structs of Thrift's compact protocol, read only as far as it takes to know that they are whole: a list that claims more
 * entries than there are bytes takes all memory in a reader that believes it. hyparquet reads what was looked at here.
 */

export class ParquetDamaged extends Error {
  override readonly name = "ParquetDamaged";
}

/** The numbers of a struct by field, and those of the structs in it. Lists and texts are passed over. */
export interface ThriftStruct {
  readonly [field: number]: number | ThriftStruct;
}

const types = {
  true: 1,
  false: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  struct: 12,
};
const mostDepth = 32;

/** Throws ParquetDamaged where it does not end within `bytes`. */
export function readStruct(
  bytes: Uint8Array,
  from: number,
  depth = 0,
): { readonly fields: ThriftStruct; readonly end: number } {
  if (depth > mostDepth) throw new ParquetDamaged("its structures are nested too deeply");
  const fields: { [field: number]: number | ThriftStruct } = {};
  let at = from;
  for (let field = 0; ; ) {
    const byte = byteAt(bytes, at++);
    const type = byte & 15;
    if (type === 0) return { fields, end: at };
    if (byte >> 4 !== 0) field += byte >> 4;
    else {
      const read = varint(bytes, at);
      field = unzigzag(read.value);
      at = read.end;
    }
    const value = readValue(bytes, at, type, depth);
    at = value.end;
    if (value.found !== null) fields[field] = value.found;
  }
}

interface Value {
  readonly found: number | ThriftStruct | null;
  readonly end: number;
}

function readValue(bytes: Uint8Array, at: number, type: number, depth: number): Value {
  switch (type) {
    case types.true:
      return { found: 1, end: at };
    case types.false:
      return { found: 0, end: at };
    case types.byte:
      byteAt(bytes, at);
      return { found: null, end: at + 1 };
    case types.i16:
    case types.i32:
    case types.i64: {
      const { value, end } = varint(bytes, at);
      return { found: unzigzag(value), end };
    }
    case types.double:
      byteAt(bytes, at + 7);
      return { found: null, end: at + 8 };
    case types.binary: {
      const { value: length, end } = varint(bytes, at);
      if (end + length > bytes.length) throw new ParquetDamaged("a text in it is longer than what is left");
      return { found: null, end: end + length };
    }
    case types.list:
    case types.set:
      return { found: null, end: listEnd(bytes, at, depth) };
    case types.struct: {
      const { fields, end } = readStruct(bytes, at, depth + 1);
      return { found: fields, end };
    }
    default:
      throw new ParquetDamaged("it holds a value of no known type");
  }
}

/** Every entry takes a byte or more. */
function listEnd(bytes: Uint8Array, from: number, depth: number): number {
  if (depth > mostDepth) throw new ParquetDamaged("its structures are nested too deeply");
  const head = byteAt(bytes, from);
  const type = head & 15;
  let at = from + 1;
  let length = head >> 4;
  if (length === 15) {
    const read = varint(bytes, at);
    length = read.value;
    at = read.end;
  }
  if (length > bytes.length - at) throw new ParquetDamaged("a list in it is longer than what is left");
  const isBoolean = type === types.true || type === types.false;
  for (let i = 0; i < length; i++) at = isBoolean ? at + 1 : readValue(bytes, at, type, depth + 1).end;
  if (at > bytes.length) throw new ParquetDamaged("it ends early");
  return at;
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new ParquetDamaged("it ends early");
  return byte;
}

/** Unsigned, up to 64 bits; above 2⁵³ no longer exact. */
export function varint(bytes: Uint8Array, from: number): { readonly value: number; readonly end: number } {
  let value = 0;
  let factor = 1;
  for (let at = from; at < from + 10; at++) {
    const byte = byteAt(bytes, at);
    value += (byte & 127) * factor;
    if (byte < 128) return { value, end: at + 1 };
    factor *= 128;
  }
  throw new ParquetDamaged("a number in it does not end");
}

const unzigzag = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2);
