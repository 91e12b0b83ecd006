/** What images somebody names on a command line: a folder, tar shards or parquet files, and what of them is kept for probes. */
import { readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { FileData } from "../runtime/experiment";

export interface GivenImages {
  readonly kind: FileData["kind"];
  /** Below what was named, as a spec would say it; "" is that itself. */
  readonly train: string;
  readonly validation: string | null;
  /** All images of it. */
  readonly all: string;
}

/** As data sets are handed around, the first that is there. */
export const heldOutNames = ["val", "valid", "validation", "test"] as const;

const packed: readonly (readonly [kind: "webdataset" | "parquet", ending: string])[] = [
  ["webdataset", ".tar"],
  ["parquet", ".parquet"],
  ["webdataset", ".tar.gz"],
  ["webdataset", ".tgz"],
];
/** A data set is often unpacked beside the archive that it came in: with folders beside them these are no shards. */
const archives: readonly string[] = [".tar.gz", ".tgz"];

/** Null where there is nothing of that name. Patterns are taken at their word. */
export function givenImages(given: string): GivenImages | null {
  const path = resolve(given);
  const info = statSync(path, { throwIfNoEntry: false });
  const named = packed.find(([, ending]) => given.toLowerCase().endsWith(ending));
  if (info?.isDirectory() !== true) {
    const isThere = info !== undefined || /[*?{]/.test(given);
    return named !== undefined && isThere ? { kind: named[0], train: "", validation: null, all: "" } : null;
  }
  // The hub keeps the files of a data set in data/.
  for (const below of ["", "data/"]) {
    const found = packedIn(path, below);
    if (found !== null) return found;
  }
  const heldOut = heldOutNames.find((name) => isFolder(join(path, name)));
  return isFolder(join(path, "train"))
    ? { kind: "folder", train: "train", validation: heldOut ?? null, all: "" }
    : { kind: "folder", train: "", validation: null, all: "" };
}

/** Files of one kind, told apart by how their names begin: train-00000.parquet, validation-00000.parquet. */
function packedIn(path: string, below: string): GivenImages | null {
  const names = namesIn(join(path, below));
  for (const [kind, ending] of packed) {
    const own = names.filter((name) => name.toLowerCase().endsWith(ending));
    if (own.length === 0 || (archives.includes(ending) && names.some((name) => isFolder(join(path, below, name)))))
      continue;
    const begins = (word: string): boolean => own.some((name) => name.startsWith(word));
    const heldOut = heldOutNames.find((word) => begins(`${word}-`)) ?? heldOutNames.find(begins);
    const pattern = (word: string): string => `${below}${word}${begins(`${word}-`) ? "-" : ""}*${ending}`;
    const all = `${below}*${ending}`;
    if (!begins("train")) return { kind, train: all, validation: null, all };
    return { kind, train: pattern("train"), validation: heldOut === undefined ? null : pattern(heldOut), all };
  }
  return null;
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** A path below another one, as `GivenImages` has it. */
export const belowGiven = (given: string, below: string): string =>
  below === "" ? given : `${given.replace(/\/+$/, "")}/${below}`;

/** The same as data of an experiment. */
export function dataOf(
  given: string,
  { kind, train, validation }: Pick<GivenImages, "kind" | "train" | "validation">,
  of: Pick<FileData, "holdOut" | "labels">,
): FileData {
  const read = {
    trainPath: belowGiven(given, train),
    validationPath: validation === null ? null : belowGiven(given, validation),
    trainImages: 0,
    // However many are bad, none of them ends anything.
    maxBadShare: 1,
    exifRotation: false,
    ...of,
  };
  switch (kind) {
    case "folder":
      return { kind, ...read };
    case "webdataset":
      return { kind, ...read, shuffleBuffer: 1 };
    case "parquet":
      return { kind, ...read, shuffleBuffer: 1, imageColumn: "image", labelColumn: "label" };
  }
}
