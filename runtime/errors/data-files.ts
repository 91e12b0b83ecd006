/** R121 … R128: tar shards and parquet files that hold images. */
import { UserError } from "./user-error";

/** A file that the experiment names, or any that its pattern would match, is not there. */
export function dataFileMissing(was: {
  /** Absolute, with the wildcards of the pattern. */
  readonly file: string;
  /** What the experiment says. */
  readonly given: string;
  readonly what: "train" | "validation";
  /** The usual one first. */
  readonly endings: readonly string[];
}): UserError {
  const [ending = ""] = was.endings;
  return new UserError(
    "R121",
    `There is no file ${was.file}, of the ${was.what} images (the experiment says "${was.given}"). It is one ${was.endings.join(" or ")} file, ` +
      `a folder of them, or a pattern like train-{000000..000099}${ending} or train-*${ending}; ` +
      "--data names the folder that it starts from.",
  );
}

/** A shard of images is cut short, damaged, or no tar file. */
export function shardDamaged(was: { readonly file: string; readonly at: number; readonly why: string }): UserError {
  return new UserError(
    "R122",
    `${was.file} is not a whole tar file: at byte ${was.at} ${was.why}. Fetch or write it again, or leave it out.`,
  );
}

/** A shard of images is compressed as a whole, in a way that is not unpacked. */
export function shardCompressed(was: {
  readonly file: string;
  /** gzip, bzip2 … */
  readonly form: string;
  /** Nothing may be unpacked. */
  readonly isOff: boolean;
}): UserError {
  const why = was.isOff
    ? "and IJEPA_SHARD_CACHE=off keeps no plain copy of it"
    : "and of compressed shards those of gzip alone are read";
  return new UserError(
    "R123",
    `${was.file} is compressed as a whole by ${was.form}, ${why}: no image in it can be read by itself. Unpack it once ` +
      "(gunzip, unzstd …): images are compressed already, and it hardly grows.",
  );
}

/** The files that should hold images are there, and hold none. */
export function noImagesInFiles(was: { readonly where: string; readonly given: string }): UserError {
  return new UserError(
    "R124",
    `There is no image in "${was.given}" below ${was.where}, or all of them are held out. A shard holds files like ` +
      "0001.jpg and 0001.cls, a parquet file rows.",
  );
}

/** A parquet file has no column of this name that holds images. */
export function parquetColumnMissing(was: {
  readonly file: string;
  readonly column: string;
  readonly found: readonly string[];
}): UserError {
  const shown = was.found
    .slice(0, 20)
    .map((name) => JSON.stringify(name.slice(0, 60)))
    .join(", ");
  return new UserError(
    "R125",
    `${was.file} has no column "${was.column}" that holds encoded images: it has ${shown || "none"}. ` +
      "Name it with data.imageColumn; it is a column of bytes, or a struct with bytes in it.",
  );
}

/** Some images of a labelled data set have a label, and others have none. */
export function imagesUnlabelled(was: { readonly where: string; readonly example: string }): UserError {
  return new UserError(
    "R126",
    `Some images below ${was.where} have labels, but ${was.example} has none. Label it, or set the labels of the data to false.`,
  );
}

/** A parquet file is cut short, damaged, or written in a way that is not read. */
export function parquetUnusable(was: { readonly file: string; readonly why: string }): UserError {
  return new UserError(
    "R127",
    `${was.file} cannot be used as a parquet file: ${was.why}. Fetch it again, or write it anew (pyarrow's defaults are read).`,
  );
}

/** A pattern of files stands for more of them than are read. */
export function tooManyDataFiles(was: { readonly given: string; readonly most: number }): UserError {
  return new UserError(
    "R128",
    `"${was.given.slice(0, 200)}" stands for more than ${was.most} files. Name fewer, or put more images into each.`,
  );
}
