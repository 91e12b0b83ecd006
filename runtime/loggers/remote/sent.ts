/** What a server has of a run, in the run's folder: a run that goes on, or `ijepa log push`, sends the rest. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeTextFile } from "../../report/files";
import type { LoggerName } from "../logger";
import { nothingSent, type Sent } from "./rows";

export interface SentRecord {
  readonly address: string;
  /** What the server calls the run. */
  readonly id: string;
  readonly sent: Sent;
}

const fileOf = (directory: string, name: LoggerName): string => join(directory, `${name}.json`);

/** Null where nothing was sent, or to another server: there the run begins anew. */
export function readSent(directory: string, name: LoggerName, address: string): SentRecord | null {
  try {
    const read: unknown = JSON.parse(readFileSync(fileOf(directory, name), "utf8"));
    if (!isRecord(read) || read.address !== address) return null;
    return read;
  } catch {
    return null;
  }
}

export async function writeSent(directory: string, name: LoggerName, record: SentRecord): Promise<void> {
  await writeTextFile(fileOf(directory, name), `${JSON.stringify(record)}\n`);
}

/** For a run that begins: what an earlier one in this folder sent is not its own. */
export const freshRecord = (address: string, id: string): SentRecord => ({ address, id, sent: nothingSent });

function isRecord(value: unknown): value is SentRecord {
  if (typeof value !== "object" || value === null) return false;
  const { address, id, sent }: { address?: unknown; id?: unknown; sent?: unknown } = value;
  if (typeof address !== "string" || typeof id !== "string" || typeof sent !== "object" || sent === null) return false;
  const { step, events }: { step?: unknown; events?: unknown } = sent;
  return Number.isSafeInteger(step) && Number.isSafeInteger(events);
}
