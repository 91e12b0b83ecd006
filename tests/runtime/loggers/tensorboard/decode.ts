/** Reads event files back, as TensorBoard does, for tests: with every checksum. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PbfReader } from "pbf";

export interface Decoded {
  readonly wallTime: number;
  readonly step: number;
  readonly fileVersion: string | null;
  readonly sessionStatus: number | null;
  readonly values: readonly DecodedValue[];
}

export interface DecodedValue {
  readonly tag: string;
  readonly number: number | null;
  readonly image: { readonly width: number; readonly height: number; readonly png: Uint8Array } | null;
  readonly histogram: Readonly<Record<string, number | readonly number[]>> | null;
}

/** The definition itself, bit by bit (Castagnoli, reflected). */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

const unmasked = (masked: number): number => {
  const rotated = (masked - 0xa282ead8) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
};

/** The data of the records of a file. Throws where a checksum does not hold. */
export function recordsOf(file: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const records: Uint8Array[] = [];
  let at = 0;
  while (at < file.length) {
    const length = Number(view.getBigUint64(at, true));
    const data = file.subarray(at + 12, at + 12 + length);
    const checks = [
      [file.subarray(at, at + 8), view.getUint32(at + 8, true)],
      [data, view.getUint32(at + 12 + length, true)],
    ] as const;
    for (const [bytes, masked] of checks)
      if (crc32c(bytes) !== unmasked(masked)) throw new Error(`a wrong checksum at ${at}`);
    records.push(data);
    at += 16 + length;
  }
  return records;
}

export function decode(record: Uint8Array): Decoded {
  const event = { wallTime: 0, step: 0, fileVersion: null as string | null, sessionStatus: null as number | null };
  const values: DecodedValue[] = [];
  const pbf = new PbfReader(record);
  const summary = (field: number): void => {
    if (field === 1) values.push(readValue(pbf));
  };
  const session = (field: number): void => {
    if (field === 1) event.sessionStatus = pbf.readVarint();
  };
  pbf.readFields((tag) => {
    if (tag === 1) event.wallTime = pbf.readDouble();
    else if (tag === 2) event.step = pbf.readVarint();
    else if (tag === 3) event.fileVersion = pbf.readString();
    else if (tag === 5) pbf.readMessage((field) => summary(field), null);
    else if (tag === 7) pbf.readMessage((field) => session(field), null);
  }, null);
  return { ...event, values };
}

function readValue(pbf: PbfReader): DecodedValue {
  let value: DecodedValue = { tag: "", number: null, image: null, histogram: null };
  pbf.readMessage((field) => {
    if (field === 1) value = { ...value, tag: pbf.readString() };
    else if (field === 2) value = { ...value, number: pbf.readFloat() };
    else if (field === 4) value = { ...value, image: imageOf(pbf) };
    else if (field === 5) value = { ...value, histogram: histogramOf(pbf) };
  }, null);
  return value;
}

function imageOf(pbf: PbfReader): NonNullable<DecodedValue["image"]> {
  let image: NonNullable<DecodedValue["image"]> = { width: 0, height: 0, png: new Uint8Array() };
  pbf.readMessage((field) => {
    if (field === 1) image = { ...image, height: pbf.readVarint() };
    else if (field === 2) image = { ...image, width: pbf.readVarint() };
    else if (field === 4) image = { ...image, png: pbf.readBytes() };
  }, null);
  return image;
}

const histogramFields = ["", "min", "max", "num", "sum", "sum_squares", "bucket_limit", "bucket"] as const;

function histogramOf(pbf: PbfReader): Readonly<Record<string, number | readonly number[]>> {
  const found: Record<string, number | readonly number[]> = {};
  pbf.readMessage((field) => {
    const name = histogramFields[field] ?? "";
    found[name] = field < 6 ? pbf.readDouble() : pbf.readPackedDouble();
  }, null);
  return found;
}

/** The events of all files in the folder, file by file in the order of their names. */
export function eventsIn(folder: string): readonly (readonly Decoded[])[] {
  return readdirSync(folder)
    .sort()
    .map((name) => recordsOf(readFileSync(join(folder, name))).map(decode));
}

/** The steps at which a reader shows a tag: a session start takes back what was said of its step and later ones. */
export function shownSteps(files: readonly (readonly Decoded[])[], tag: string): readonly number[] {
  let shown: number[] = [];
  for (const { sessionStatus, step, values } of files.flat()) {
    if (sessionStatus === 1) shown = shown.filter((each) => each < step);
    else if (values.some((value) => value.tag === tag)) shown.push(step);
  }
  return shown;
}
