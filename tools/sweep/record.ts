/** point.json in a run folder: of which point the run is, and what a rule decided about it. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "../../compiler/output/write";
import { isObject, type JsonValue } from "../../compiler/spec/json";
import { sweepFiles } from "./folders";
import type { PointIdentity, Sweep, SweepPoint } from "./sweep";

/** What successive halving decided at the end of one epoch. Kept, so that a resumed sweep decides the same. */
export interface Rung {
  readonly epoch: number;
  readonly value: number | null;
  /** From 1, the best. */
  readonly rank: number;
  /** Points that were compared. */
  readonly of: number;
  readonly goesOn: boolean;
}

export interface PointRecord extends PointIdentity {
  readonly sweep: string;
  /** sha256 of the canonical spec, and of the generator that made the trainer. */
  readonly spec: string;
  readonly generator: string;
  readonly rungs: readonly Rung[];
}

export function recordOf(sweep: Pick<Sweep, "name">, point: SweepPoint, generator: string): PointRecord {
  const { name, index, group, labels, values, seed, hash } = point;
  return { sweep: sweep.name, name, index, group, labels, values, seed, spec: hash, generator, rungs: [] };
}

export function writeRecord(runFolder: string, record: PointRecord): void {
  mkdirSync(runFolder, { recursive: true });
  writeWhole(join(runFolder, sweepFiles.point), `${JSON.stringify(record, null, 2)}\n`);
}

/** Records a run that begins or goes on: what was decided about this very point stays. */
export function recordRun(runFolder: string, record: PointRecord): void {
  const known = readRecord(runFolder);
  const isSame = known !== null && known.spec === record.spec && known.generator === record.generator;
  writeRecord(runFolder, isSame ? { ...record, rungs: known.rungs } : record);
}

/** Adds what was decided; nothing where the folder has no record. */
export function addRung(runFolder: string, rung: Rung): void {
  const text = textOf(runFolder);
  const record = text === null ? null : parse(text);
  if (record === null || !isObject(record)) return;
  const rungs = [...rungsOf(record.rungs), rung].map((each) => ({ ...each }));
  writeWhole(join(runFolder, sweepFiles.point), `${JSON.stringify({ ...record, rungs }, null, 2)}\n`);
}

/** What the rest of the sweep reads of a record; null where there is none, or it is not one. */
export function readRecord(runFolder: string): Pick<PointRecord, "spec" | "generator" | "rungs"> | null {
  const text = textOf(runFolder);
  const record = text === null ? null : parse(text);
  if (record === null || !isObject(record)) return null;
  const { spec, generator, rungs } = record;
  return typeof spec === "string" && typeof generator === "string" ? { spec, generator, rungs: rungsOf(rungs) } : null;
}

function rungsOf(value: JsonValue | undefined): readonly Rung[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((rung: JsonValue): Rung[] => {
    if (!isObject(rung)) return [];
    const { epoch, value: metric, rank, of, goesOn } = rung;
    const isRung = typeof epoch === "number" && typeof rank === "number" && typeof of === "number";
    if (!isRung || typeof goesOn !== "boolean") return [];
    return [{ epoch, value: typeof metric === "number" ? metric : null, rank, of, goesOn }];
  });
}

function textOf(runFolder: string): string | null {
  try {
    return readFileSync(join(runFolder, sweepFiles.point), "utf8");
  } catch {
    return null;
  }
}

function parse(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
