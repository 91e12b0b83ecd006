/** The bytes of image files by number, whatever holds them: each kind of data set has a plan that any thread can read by. */
import type { FileListMemory } from "./file-list";
import { openFileList } from "./file-list";
import type { FileReader } from "./file-reader";
import { openRows, type RowReaderPlan } from "./parquet/rows";
import { type PatientReader, patientReader } from "./read-patiently";

export interface FolderReaderPlan {
  readonly kind: "folder";
  /** Absolute. */
  readonly where: string;
  readonly files: FileListMemory;
}

export interface ShardReaderPlan {
  readonly kind: "webdataset";
  /** Absolute. */
  readonly where: string;
  /** Below `where`. */
  readonly shards: readonly string[];
  /** What is read in the place of a compressed one, absolute; null for any other. */
  readonly copies: readonly (string | null)[];
  /** Name of each image in its shard. */
  readonly members: FileListMemory;
  /** Number of its shard; Int32. */
  readonly shardOf: SharedArrayBuffer;
  /** Where its bytes begin, and how many they are; Float64. */
  readonly offsets: SharedArrayBuffer;
  readonly sizes: SharedArrayBuffer;
}

/** To be sent to other threads. */
export type ReaderPlan = FolderReaderPlan | ShardReaderPlan | RowReaderPlan;

export function openReader(plan: ReaderPlan, patienceMs: number): FileReader {
  const patient = patientReader({ folder: plan.where, patienceMs });
  switch (plan.kind) {
    case "folder":
      return openFiles(plan, patient);
    case "webdataset":
      return openMembers(plan, patient);
    case "parquet":
      return openRows(plan, patient);
  }
}

function openFiles({ where, files: memory }: FolderReaderPlan, patient: PatientReader): FileReader {
  const files = openFileList(memory);
  return {
    images: files.length,
    name: (index) => files.at(index),
    bytes: (index) => patient.read(`${where}/${files.at(index)}`),
  };
}

/** An image is never larger than this; what says so is refused before memory is taken for it. */
const mostImageBytes = 2 ** 30;

function openMembers(plan: ShardReaderPlan, patient: PatientReader): FileReader {
  const members = openFileList(plan.members);
  const shardOf = new Int32Array(plan.shardOf);
  const [offsets, sizes] = [new Float64Array(plan.offsets), new Float64Array(plan.sizes)];
  const shard = (index: number): string => plan.shards[shardOf[index] ?? 0] ?? "";
  return {
    images: members.length,
    name: (index) => `${shard(index)}/${members.at(index)}`,
    bytes: async (index) => {
      const [offset, size] = [offsets[index] ?? 0, sizes[index] ?? 0];
      if (size > mostImageBytes) throw new Error(`the file is too large: ${size} bytes`);
      const file = plan.copies[shardOf[index] ?? 0] ?? `${plan.where}/${shard(index)}`;
      const bytes = await patient.readPart(file, { offset, size });
      if (bytes.length < size) throw new Error("the shard became shorter after it was looked through");
      return bytes;
    },
  };
}
