/**
 * The members of a tar file: name, where the bytes begin, and how many there are. Headers alone are read, so a shard of any
 * size takes little memory and few reads. `tar` decodes headers and PAX records; nothing is ever written to disk, so a name is
 * a name, whatever path it spells.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { Header } from "tar/header";
import { Pax } from "tar/pax";

export interface TarMember {
  readonly name: string;
  /** In bytes from the beginning of the file. */
  readonly offset: number;
  readonly size: number;
}

export interface TarReader {
  /** Bytes of the file, in memory that the next call uses again. */
  read(offset: number, size: number): Uint8Array;
}

/** What is not a tar file from some byte on. */
export class TarDamaged extends Error {
  override readonly name = "TarDamaged";
  constructor(
    readonly at: number,
    readonly why: string,
  ) {
    super(why);
  }
}

const block = 512;
/** Linux has no longer paths; a header that says more is no name. */
const longestName = 4096;
const mostPaxBytes = 1 << 20;
/** A file's header and the small file before it are read at once. */
const windowBytes = 4096;

/** Calls `member` for every regular file in turn. Throws TarDamaged, and what the system says. */
export function eachMember(path: string, member: (found: TarMember, reader: TarReader) => void): void {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    walk(size, windowed(file, size), member);
  } finally {
    closeSync(file);
  }
}

function windowed(file: number, fileSize: number): TarReader {
  const window = Buffer.alloc(windowBytes);
  let [start, length] = [0, 0];
  return {
    read: (offset, size) => {
      if (offset + size > fileSize) throw new TarDamaged(offset, "it ends in the middle of a file");
      if (size > windowBytes) return readAll(file, Buffer.alloc(size), offset);
      if (offset < start || offset + size > start + length) {
        start = offset;
        length = readAll(file, window.subarray(0, Math.min(windowBytes, fileSize - offset)), offset).length;
      }
      return window.subarray(offset - start, offset - start + size);
    },
  };
}

function readAll(file: number, into: Buffer, offset: number): Buffer {
  for (let at = 0; at < into.length; ) {
    const count = readSync(file, into, at, into.length - at, offset + at);
    if (count === 0) throw new TarDamaged(offset, "it became shorter while it was read");
    at += count;
  }
  return into;
}

/** What the headers before a file say of it. */
interface Ahead {
  readonly long: string | null;
  readonly own: Pax | undefined;
}

const nothingAhead: Ahead = { long: null, own: undefined };

function walk(fileSize: number, reader: TarReader, member: (found: TarMember, reader: TarReader) => void): void {
  let ahead = nothingAhead;
  let global: Pax | undefined;
  let at = 0;
  while (at < fileSize) {
    if (fileSize - at < block) throw new TarDamaged(at, "it ends in the middle of a header");
    const header = headerAt(reader, at, ahead.own, global);
    if (header.nullBlock) return;
    if (!header.cksumValid) throw new TarDamaged(at, "there is no header: its checksum does not fit");
    const size = sizeOf(header, at);
    const offset = at + block;
    if (offset + size > fileSize) {
      throw new TarDamaged(at, `a file of ${size} bytes begins there, of which ${fileSize - offset} are left`);
    }
    const text = (most: number): string => {
      if (size > most) throw new TarDamaged(at, `a header there takes ${size} bytes; at most ${most} are read`);
      return Buffer.from(reader.read(offset, size)).toString("utf8");
    };
    switch (header.type) {
      case "NextFileHasLongPath":
      case "OldGnuLongPath":
        ahead = { ...ahead, long: text(longestName + 1).replace(/\0[\s\S]*$/, "") };
        break;
      case "NextFileHasLongLinkpath":
        text(longestName + 1);
        break;
      case "ExtendedHeader":
      case "OldExtendedHeader":
        ahead = { ...ahead, own: paxOf(text(mostPaxBytes), ahead.own, false, at) };
        break;
      case "GlobalExtendedHeader":
        global = paxOf(text(mostPaxBytes), global, true, at);
        break;
      case "SparseFile":
        throw new TarDamaged(at, "a sparse file begins there, which is not read");
      default: {
        if (isFile(header.type)) {
          const name = ahead.long ?? header.path ?? "";
          if (Buffer.byteLength(name) > longestName)
            throw new TarDamaged(at, `a name there is over ${longestName} bytes`);
          member({ name, offset, size }, reader);
        }
        ahead = nothingAhead;
      }
    }
    at = offset + block * Math.ceil(size / block);
  }
}

function headerAt(reader: TarReader, at: number, own: Pax | undefined, global: Pax | undefined): Header {
  const bytes = Buffer.from(reader.read(at, block));
  try {
    return new Header(bytes, 0, own, global);
  } catch {
    // It throws of numbers that no number of JavaScript holds.
    throw new TarDamaged(at, "there is a header whose size is no number of bytes");
  }
}

const isFile = (type: Header["type"]): boolean => type === "File" || type === "OldFile" || type === "ContiguousFile";
/** Their size says nothing of what follows. */
const isBare = (type: Header["type"]): boolean =>
  ["Link", "SymbolicLink", "CharacterDevice", "BlockDevice", "Directory", "FIFO"].includes(type);

function sizeOf({ type, size }: Header, at: number): number {
  if (isBare(type)) return 0;
  if (size === undefined || !Number.isSafeInteger(size) || size < 0) {
    throw new TarDamaged(at, "the size of the file there is no number of bytes");
  }
  return size;
}

function paxOf(text: string, before: Pax | undefined, isGlobal: boolean, at: number): Pax {
  if (text.includes("GNU.sparse.")) throw new TarDamaged(at, "a sparse file begins there, which is not read");
  return Pax.parse(text, before, isGlobal);
}
