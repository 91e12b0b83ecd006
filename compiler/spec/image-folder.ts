/** What lies in a folder of images: how many, in which classes, and which files the trainer does not read. */
import { type Dirent, readdirSync, realpathSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { isImageName } from "../../runtime/data/folder";
import { isHeldOut } from "../../runtime/data/hold-out";

export interface FolderLook {
  /** Paths below the folder, with `/`. */
  readonly images: readonly string[];
  /** Folders of the first level that hold an image, sorted. */
  readonly classes: readonly string[];
  /** Images that lie in no folder of the first level. */
  readonly loose: number;
  /** Files that are images of a kind that is not read, by their ending. */
  readonly skipped: ReadonlyMap<string, number>;
}

/** Endings of images that the trainer passes over. */
const unread = [".bmp", ".tif", ".tiff", ".gif", ".avif", ".heic", ".svg"];

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
  const images: string[] = [];
  const skipped = new Map<string, number>();
  try {
    const visited = new Set([realpathSync(folder)]);
    const visit = (below: string): void => {
      for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
        if (entry.name.startsWith(".")) continue;
        const name = below === "" ? entry.name : `${below}/${entry.name}`;
        const kind = kindOf(join(folder, name), entry, visited);
        if (kind === "folder") visit(name);
        if (kind !== "file") continue;
        const ending = extname(name).toLowerCase();
        if (isImageName(name)) images.push(name);
        else if (unread.includes(ending)) skipped.set(ending, (skipped.get(ending) ?? 0) + 1);
      }
    };
    visit("");
  } catch {
    return null;
  }
  const classes = new Set(images.flatMap((name) => (name.includes("/") ? [name.slice(0, name.indexOf("/"))] : [])));
  return {
    images,
    classes: [...classes].sort(),
    loose: images.filter((name) => !name.includes("/")).length,
    skipped,
  };
}

/** A link to a folder that was seen already, or to nowhere, is nothing. */
function kindOf(path: string, entry: Dirent, visited: Set<string>): "folder" | "file" | "nothing" {
  if (!entry.isSymbolicLink()) return entry.isDirectory() ? "folder" : entry.isFile() ? "file" : "nothing";
  const target = statSync(path, { throwIfNoEntry: false });
  if (target === undefined) return "nothing";
  if (target.isFile()) return "file";
  const real = realpathSync(path);
  if (!target.isDirectory() || visited.has(real)) return "nothing";
  visited.add(real);
  return "folder";
}

/** Whether the folders of the first level are classes: all images lie in one of several. */
export function hasClasses({ classes, loose }: FolderLook): boolean {
  return loose === 0 && classes.length > 1;
}

/** Images that are trained on, where a share is held out. */
export function trainingImages({ images }: FolderLook, holdOut: number): number {
  return holdOut === 0 ? images.length : images.filter((name) => !isHeldOut(name, holdOut)).length;
}
