/** A data set of files as a set of images, by its kind. */
import type { FileData } from "../experiment";
import { openFolder } from "./folder";
import type { ImageSet, LookOptions } from "./image-set";
import { openFiles } from "./parquet/files";
import { openShards } from "./webdataset/shards";

export interface OpenOptions extends LookOptions {
  /** Threads that will read; left out: one. */
  readonly threads?: number;
}

/** Throws R12x and R13x where the images are not there, or not what they should be. */
export function openImages(options: OpenOptions, data: FileData): Promise<ImageSet> {
  switch (data.kind) {
    case "folder":
      return openFolder(options, data);
    case "webdataset":
      return openShards(options, data);
    case "parquet":
      return openFiles(options, data);
  }
}

/** The images that are trained on. */
export function trainPart({ holdOut }: Pick<FileData, "holdOut">): Pick<LookOptions, "part"> {
  return holdOut === 0 ? {} : { part: { holdOut, heldOut: false } };
}
