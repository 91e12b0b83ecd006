/**
 * Finds the images of a folder: in it and at any depth below, in the order of a walk that sorts names by code point.
 * With labels, the folders of the first level are the classes, as in torchvision's ImageFolder (reference.md §10); images
 * without any folder have none.
 */
import type { Dirent } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { dataFolderEmpty, dataFolderMissing, dataFolderUnreadable, imagesOutsideClasses } from "../errors";
import type { FolderData } from "../experiment";
import { byCodePoint, type FileList, packFileList } from "./file-list";
import { isHeldOut } from "./hold-out";

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

export function isImageName(name: string): boolean {
  return /\.(jpe?g|png|webp)$/i.test(name);
}

export interface ScanOptions {
  readonly root: string;
  /** As the experiment says; relative to `root` unless absolute. */
  readonly given: string;
  readonly what: "train" | "validation";
  readonly labels: boolean;
  /** Only the images that are held out, or only the others; left out, all. */
  readonly part?: { readonly holdOut: number; readonly heldOut: boolean };
}

/** The images that are trained on. */
export function trainPart({ holdOut }: Pick<FolderData, "holdOut">): Pick<ScanOptions, "part"> {
  return holdOut === 0 ? {} : { part: { holdOut, heldOut: false } };
}

export async function scanFolder({ root, given, what, labels, part }: ScanOptions): Promise<ImageFolder> {
  const path = resolve(root, given);
  const found = await stat(path).catch(() => null);
  if (found === null || !found.isDirectory()) throw dataFolderMissing({ folder: path, given, what });

  const walk: Walk = { files: [], otherFiles: 0, visited: new Set([await realpath(path)]) };
  const wanted = (name: string): boolean => part === undefined || isHeldOut(name, part.holdOut) === part.heldOut;
  const classes: string[] = [];
  const classStarts: number[] = [0];
  const files: string[] = [];
  if (labels && !(await isFlat(path))) {
    for (const entry of await entriesOf(path)) {
      const kind = await kindOf(path, entry);
      if (kind === "image") throw imagesOutsideClasses({ folder: path, example: entry.name });
      if (kind === "other") walk.otherFiles++;
      if (kind !== "folder") continue;
      const before = walk.files.length;
      await visit(walk, path, entry.name);
      if (walk.files.length === before) continue; // no image in it: no class
      classes.push(entry.name);
      for (const name of walk.files.slice(before)) if (wanted(name)) files.push(name);
      classStarts.push(files.length);
    }
  } else {
    await visit(walk, path, "");
    for (const name of walk.files) if (wanted(name)) files.push(name);
    classStarts.push(files.length);
  }
  if (files.length === 0) throw dataFolderEmpty({ folder: path, otherFiles: walk.otherFiles });
  return { path, files: packFileList(files), classes, classStarts };
}

/** Images, and no folder that could be a class: labels are not asked of them. */
async function isFlat(path: string): Promise<boolean> {
  const kinds = await Promise.all((await entriesOf(path)).map((entry) => kindOf(path, entry)));
  return kinds.includes("image") && !kinds.includes("folder");
}

interface Walk {
  /** Relative to the folder that the scan began with. */
  readonly files: string[];
  otherFiles: number;
  /** Real paths of the folders behind symbolic links, so that a link to a parent ends the walk. */
  readonly visited: Set<string>;
}

async function visit(walk: Walk, top: string, relative: string): Promise<void> {
  const folder = join(top, relative);
  for (const entry of await entriesOf(folder)) {
    const name = relative === "" ? entry.name : `${relative}/${entry.name}`;
    const kind = await kindOf(folder, entry);
    if (kind === "image") walk.files.push(name);
    else if (kind === "other") walk.otherFiles++;
    else if (kind === "folder") {
      if (entry.isSymbolicLink()) {
        const real = await realpath(join(folder, entry.name));
        if (walk.visited.has(real)) continue;
        walk.visited.add(real);
      }
      await visit(walk, top, name);
    }
  }
}

/** Sorted; without hidden files (macOS leaves `._name.jpg` beside images). */
async function entriesOf(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    throw dataFolderUnreadable({ folder, why: cause.code ?? cause.message });
  });
  return entries.filter(({ name }) => !name.startsWith(".")).sort((a, b) => byCodePoint(a.name, b.name));
}

async function kindOf(folder: string, entry: Dirent): Promise<"folder" | "image" | "other" | "nothing"> {
  let isFolder = entry.isDirectory();
  let isFile = entry.isFile();
  if (entry.isSymbolicLink()) {
    const target = await stat(join(folder, entry.name)).catch(() => null);
    if (target === null) return "nothing"; // a link that leads nowhere
    isFolder = target.isDirectory();
    isFile = target.isFile();
  }
  if (isFolder) return "folder";
  return isFile ? (isImageName(entry.name) ? "image" : "other") : "nothing";
}
