/** What lies where a spec has its images, of whatever kind: how many there are, and whether they have classes. */
import { resolve } from "node:path";
import type { LookOptions } from "../../runtime/data/image-set";
import { countRows } from "../../runtime/data/parquet/files";
import type { Columns } from "../../runtime/data/parquet/footer";
import { countShards } from "../../runtime/data/webdataset/shards";
import { UserError } from "../../runtime/errors";
import { errors } from "../diagnostics/catalogue";
import type { Problem } from "../diagnostics/diagnostic";
import { hasClasses, lookAtFolder, trainingImages } from "./image-folder";
import type { JsonValue } from "./json";

export interface DataLook {
  readonly hasClasses: boolean;
  /** How many are trained on where this share is held out. */
  images(holdOut: number): number;
  /** What to say where that is none. */
  readonly empty: Problem;
}

/** The fields of `data` that say where its images lie. */
export interface DataPlace {
  readonly [field: string]: JsonValue | undefined;
  readonly train: string;
}

type Look = (data: DataPlace, folder: string) => DataLook | { readonly problem: Problem };

const textOr = (value: JsonValue | undefined, other: string): string => (typeof value === "string" ? value : other);

const looks: Readonly<Record<string, Look>> = {
  folder: (data, folder) => {
    const path = resolve(folder, data.train);
    const look = lookAtFolder(path);
    if (look === null) return { problem: errors.imagesUncounted({ folder: path, why: "missing" }) };
    return {
      hasClasses: hasClasses(look),
      images: (holdOut) => trainingImages(look, holdOut),
      empty: errors.imagesUncounted({ folder: path, why: "empty" }),
    };
  },
  webdataset: (data, folder) => counting(data, folder, countShards),
  parquet: (data, folder) => {
    const columns: Columns = {
      imageColumn: textOr(data.imageColumn, "image"),
      labelColumn: textOr(data.labelColumn, "label"),
    };
    return counting(data, folder, (options) => countRows(options, columns));
  },
};

export function lookAtData(data: DataPlace, folder: string): ReturnType<Look> {
  const look = looks[textOr(data.source, "")];
  if (look === undefined) throw new Error("internal: images are counted that no file holds");
  return look(data, folder);
}

type Count = (options: LookOptions) => { readonly images: number; readonly hasLabels: boolean };

/** What cannot be read is said in the words that a trainer has for it. */
function counting({ train: given }: DataPlace, folder: string, count: Count): ReturnType<Look> {
  const of = (part: Pick<LookOptions, "part">): ReturnType<Count> =>
    count({ root: folder, given, what: "train", ...part });
  try {
    const all = of({});
    return {
      hasClasses: all.hasLabels,
      images: (holdOut) => (holdOut === 0 ? all.images : of({ part: { holdOut, heldOut: false } }).images),
      empty: errors.imagesNotCounted({ why: `there is no image in ${given}` }),
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { problem: errors.imagesNotCounted({ why: error.message }) };
  }
}
