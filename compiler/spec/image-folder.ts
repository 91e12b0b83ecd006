/** What lies in a folder of images: how many, in which classes, and which files the trainer does not read. */
import { statSync } from "node:fs";
import type { FileList } from "../../runtime/data/file-list";
import { lookThroughFolder } from "../../runtime/data/folder-index";
import { isHeldOut } from "../../runtime/data/hold-out";
import { openIndexCache } from "../../runtime/data/index-cache";
import { finished } from "../../runtime/data/looking";

export interface FolderLook {
  /** Paths below the folder, with `/`. */
  readonly images: FileList;
  /** Folders of the first level that hold an image, sorted. */
  readonly classes: readonly string[];
  /** Images that lie in no folder of the first level. */
  readonly loose: number;
  /** Files that are images of a kind that is not read, by their ending. */
  readonly skipped: ReadonlyMap<string, number>;
}

const looks = new Map<string, FolderLook | null>();

/** Read once in a process; null where there is no such folder, or it can not be read. */
export function lookAtFolder(folder: string): FolderLook | null {
  const known = looks.get(folder);
  if (known !== undefined) return known;
  const look = looked(folder);
  looks.set(folder, look);
  return look;
}

function looked(folder: string): FolderLook | null {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return null;
  try {
    const { files: images, skipped } = finished(lookThroughFolder(folder, openIndexCache()));
    const classes = new Set<string>();
    let loose = 0;
    for (let i = 0; i < images.length; i++) {
      const name = images.at(i);
      const slash = name.indexOf("/");
      if (slash === -1) loose++;
      else classes.add(name.slice(0, slash));
    }
    return { images, classes: [...classes].sort(), loose, skipped };
  } catch {
    return null;
  }
}

/** Whether the folders of the first level are classes: all images lie in one of several. */
export function hasClasses({ classes, loose }: FolderLook): boolean {
  return loose === 0 && classes.length > 1;
}

/** Images that are trained on, where a share is held out. */
export function trainingImages({ images }: FolderLook, holdOut: number): number {
  if (holdOut === 0) return images.length;
  let count = 0;
  for (let i = 0; i < images.length; i++) if (!isHeldOut(images.at(i), holdOut)) count++;
  return count;
}
