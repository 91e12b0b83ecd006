/**
 * Finds the images of a folder: in it and at any depth below, in the order of a walk that sorts names by code point.
 * With labels, the folders of the first level are the classes, as in torchvision's ImageFolder (reference.md §10).
 */
import type { Dirent } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { dataFolderEmpty, dataFolderMissing, dataFolderUnreadable, imagesOutsideClasses } from "../errors";
import { byCodePoint, type FileList, packFileList } from "./file-list";

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

const imageName = /\.(jpe?g|png|webp)$/i;

export interface ScanOptions {
  readonly root: string;
  /** As the experiment says; relative to `root` unless absolute. */
  readonly given: string;
  readonly what: "train" | "validation";
  readonly labels: boolean;
}

export async function scanFolder({ root, given, what, labels }: ScanOptions): Promise<ImageFolder> {
  const path = resolve(root, given);
  const found = await stat(path).catch(() => null);
  if (found === null || !found.isDirectory()) throw dataFolderMissing({ folder: path, given, what });

  const walk: Walk = { files: [], otherFiles: 0, visited: new Set([await realpath(path)]) };
  const classes: string[] = [];
  const classStarts: number[] = [0];
  if (labels) {
    for (const entry of await entriesOf(path)) {
      const kind = await kindOf(path, entry);
      if (kind === "image") throw imagesOutsideClasses({ folder: path, example: entry.name });
      if (kind === "other") walk.otherFiles++;
      if (kind !== "folder") continue;
      await visit(walk, path, entry.name);
      if (walk.files.length === classStarts[classStarts.length - 1]) continue; // no image in it: no class
      classes.push(entry.name);
      classStarts.push(walk.files.length);
    }
  } else {
    await visit(walk, path, "");
    classStarts.push(walk.files.length);
  }
  if (walk.files.length === 0) throw dataFolderEmpty({ folder: path, otherFiles: walk.otherFiles });
  return { path, files: packFileList(walk.files), classes, classStarts };
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
  return isFile ? (imageName.test(entry.name) ? "image" : "other") : "nothing";
}
