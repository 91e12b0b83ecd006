/**
 * The images of a folder. With labels, the folders of the first level are the classes, as in torchvision's ImageFolder
 * (reference.md §10); images without any folder have none.
 */
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { dataFolderEmpty, dataFolderMissing, imagesOutsideClasses } from "../errors";
import type { FolderData } from "../experiment";
import { type FileList, fileListBuilder } from "./file-list";
import { lookThroughFolder } from "./folder-index";
import { type ImageSet, isIn, type LookOptions } from "./image-set";
import { openIndexCache } from "./index-cache";
import { finishing, lookingLines } from "./looking";

export interface ImageFolder {
  /** Absolute. */
  readonly path: string;
  /** Relative to `path`, with `/`. */
  readonly files: FileList;
  /** Names of the classes by number; empty without labels. */
  readonly classes: readonly string[];
  /** Class c has the files from `classStarts[c]` to `classStarts[c + 1]`; without labels one span holds all. */
  readonly classStarts: readonly number[];
}

export interface ScanOptions extends LookOptions {
  readonly labels: boolean;
}

/** Throws R130 … R132 and R134. */
export async function scanFolder(options: ScanOptions): Promise<ImageFolder> {
  const { root, given, what, labels, part, progress = () => {}, cache = openIndexCache({ note: progress }) } = options;
  const path = resolve(root, given);
  const found = await stat(path).catch(() => null);
  if (found === null || !found.isDirectory()) throw dataFolderMissing({ folder: path, given, what });

  const index = await finishing(lookThroughFolder(path, cache), lookingLines(path, progress));
  const { files: all, otherFiles, topFolders } = index;
  if (all.length === 0) throw dataFolderEmpty({ folder: path, otherFiles });
  const chosen = fileListBuilder();
  const classes: string[] = [];
  const classStarts: number[] = [0];
  for (let i = 0; i < all.length; i++) {
    const name = all.at(i);
    if (labels && topFolders > 0) {
      const slash = name.indexOf("/");
      if (slash === -1) throw imagesOutsideClasses({ folder: path, example: name });
      // The walk goes through one folder after the other.
      const isNew = classes.length === 0 || name.slice(0, slash) !== classes.at(-1);
      if (isNew) {
        if (classes.length > 0) classStarts.push(chosen.length);
        classes.push(name.slice(0, slash));
      }
    }
    if (isIn(part, name)) chosen.add(name);
  }
  classStarts.push(chosen.length);
  if (chosen.length === 0) throw dataFolderEmpty({ folder: path, otherFiles });
  return { path, files: chosen.built(), classes, classStarts };
}

/** A folder as a set of images. */
export async function openFolder(options: LookOptions, { labels }: Pick<FolderData, "labels">): Promise<ImageSet> {
  const { path, files, classes, classStarts } = await scanFolder({ ...options, labels });
  const numbers = new Int32Array(classes.length === 0 ? 0 : files.length);
  for (const number of classes.keys()) numbers.fill(number, classStarts[number], classStarts[number + 1]);
  return {
    where: path,
    images: files.length,
    reader: { kind: "folder", where: path, files: files.memory },
    classes,
    labels: numbers,
    shuffle: null,
    fileOf: (index) => join(path, files.at(index)),
    nameOf: files.at,
  };
}
