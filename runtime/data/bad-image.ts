/** Images that cannot be used, by reason. Which they are is kept in memory that all threads share. */
import { codeOf, hasCode, messageOf, reasonOf } from "../exceptions";

/** Numbers in shared memory are 1 + the place here. */
export const badImageReasons = ["missing", "unreadable", "empty", "unknown format", "too large", "damaged"] as const;
export type BadImageReason = (typeof badImageReasons)[number];

export interface BadImage {
  /** Below the folder of the images. */
  readonly file: string;
  readonly reason: BadImageReason;
  /** What the system or the decoder said. */
  readonly why: string;
}

export type BadImageCounts = Readonly<Partial<Record<BadImageReason, number>>>;

/** Of what reading or decoding threw. */
export function badImageOf(file: string, error: unknown): BadImage {
  const why = (codeOf(error) === undefined ? messageOf(error) : reasonOf(error)).replaceAll(/\s+/g, " ").trim();
  return { file, reason: reasonFor(error), why };
}

function reasonFor(error: unknown): BadImageReason {
  if (hasCode(error, "ENOENT", "ENOTDIR")) return "missing";
  if (codeOf(error) !== undefined) return "unreadable";
  const message = messageOf(error);
  if (/buffer is empty|empty file/i.test(message)) return "empty";
  if (/unsupported image format|not a known file format/i.test(message)) return "unknown format";
  return /pixel limit|too large|exceeds/i.test(message) ? "too large" : "damaged";
}

export interface BadImageFlags {
  /** Why image `index` is bad; null where nothing is known against it. */
  at(index: number): BadImageReason | null;
  /** True for the first to say so, in whatever thread. */
  mark(index: number, reason: BadImageReason): boolean;
}

/** One byte for each image; `memory` may be sent to other threads. */
export function badImageFlags(memory: SharedArrayBuffer): BadImageFlags {
  const flags = new Uint8Array(memory);
  return {
    at: (index) => badImageReasons[Atomics.load(flags, index) - 1] ?? null,
    mark: (index, reason) => Atomics.compareExchange(flags, index, 0, 1 + badImageReasons.indexOf(reason)) === 0,
  };
}

export function countsOf(images: readonly BadImage[]): BadImageCounts {
  const counts: Partial<Record<BadImageReason, number>> = {};
  for (const { reason } of images) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

/** e.g. "2 damaged, 1 missing". */
export function countsText(counts: BadImageCounts): string {
  return badImageReasons
    .flatMap((reason) => (counts[reason] === undefined ? [] : [`${counts[reason]} ${reason}`]))
    .join(", ");
}
