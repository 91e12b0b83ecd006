/** The images of a data set that was looked through, whatever holds them: numbers, names, classes, and how to read each. */
import { imagesUnlabelled } from "../errors";
import { byCodePoint } from "./file-list";
import { isHeldOut } from "./hold-out";
import type { IndexCache } from "./index-cache";
import type { ReaderPlan } from "./reader";

export interface ImageSet {
  /** Folder that names are relative to, absolute. */
  readonly where: string;
  readonly images: number;
  /** To be sent to other threads. */
  readonly reader: ReaderPlan;
  /** Names of the classes by number; empty without labels. */
  readonly classes: readonly string[];
  /** The class of each image; empty without labels. */
  readonly labels: Int32Array;
  /** How an epoch orders them; null: all of them at random. */
  readonly shuffle: Shuffle | null;
  /** The file on disk that holds an image, absolute. */
  fileOf(index: number): string;
  /** Below `where`. */
  nameOf(index: number): string;
}

/** Runs of images that are read best in their order, and how many images are mixed beyond that. */
export interface Shuffle {
  /** Where each run begins, and where the last ends. */
  readonly starts: readonly number[];
  readonly buffer: number;
}

export interface LookOptions {
  readonly root: string;
  /** As the experiment says; relative to `root` unless absolute. */
  readonly given: string;
  readonly what: "train" | "validation";
  /** Only the images that are held out, or only the others; left out, all. */
  readonly part?: { readonly holdOut: number; readonly heldOut: boolean };
  /** Left out: that of the user. */
  readonly cache?: IndexCache;
  /** Hears how far it is where it takes a while. */
  readonly progress?: (line: string) => void;
}

/** Whether an image of this name belongs to the part. */
export function isIn(part: LookOptions["part"], name: string): boolean {
  return part === undefined || isHeldOut(name, part.holdOut) === part.heldOut;
}

/** Labels as they were found. */
export interface FoundLabels {
  /** For each image the number of its text; −1 where it has none. */
  readonly numbers: Int32Array;
  readonly texts: readonly string[];
  /** Whether the texts are all classes there are, in their order. */
  readonly areComplete: boolean;
}

/** Classes in an order that all parts of a data set share. No label at all is no classes; throws R126 where only some lack one. */
export function classesOf(
  { numbers, texts, areComplete }: FoundLabels,
  { where, nameOf }: { readonly where: string; readonly nameOf: (index: number) => string },
): Pick<ImageSet, "classes" | "labels"> {
  const without = numbers.indexOf(-1);
  if (numbers.every((number) => number === -1)) return { classes: [], labels: new Int32Array(0) };
  if (without !== -1) throw imagesUnlabelled({ where, example: nameOf(without) });
  if (areComplete) return { classes: texts, labels: numbers };
  const used = [...new Set(numbers)].map((number) => texts[number] ?? "");
  const isNumbered = used.every((text) => /^(0|-?[1-9]\d{0,14})$/.test(text));
  const classes = [...new Set(used)].sort(isNumbered ? (a, b) => Number(a) - Number(b) : byCodePoint);
  const places = new Map(classes.map((name, place) => [name, place]));
  const placeOf = Int32Array.from(texts, (text) => places.get(text) ?? 0);
  return { classes, labels: numbers.map((number) => placeOf[number] ?? 0) };
}
