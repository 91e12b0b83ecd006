/**
 * The images below a folder, at any depth, in the order of a walk that sorts names by code point. Of many images the walk is
 * kept on disk, and holds for as long as no folder has changed: adding, removing and renaming a file change the time of its
 * folder. A folder that was changed as the walk began may change again without a trace, so such a walk is not kept.
 */
import { type Dirent, lstatSync, readdirSync, realpathSync, type Stats, statSync } from "node:fs";
import { extname, join, sep } from "node:path";
import { dataFolderUnreadable } from "../errors";
import { hasCode, reasonOf } from "../exceptions";
import { areFileListParts, byCodePoint, type FileList, fileListBuilder, partsOf, sharedFileList } from "./file-list";
import { isImageName } from "./image-format";
import { fewestKept, type IndexCache } from "./index-cache";
import type { Looking } from "./looking";

export interface FolderIndex {
  /** Below the folder, with `/`. */
  readonly files: FileList;
  readonly otherFiles: number;
  /** Folders of the first level, hidden ones left out. */
  readonly topFolders: number;
  /** Images of kinds that are not read, by their ending, and whatever has a name that no text is. */
  readonly skipped: ReadonlyMap<string, number>;
}

/** Endings of images that are passed over. */
const unread: readonly string[] = [".bmp", ".heic", ".jfif", ".jxl", ".pgm", ".ppm", ".svg"];

/** In the place of an ending. */
const notUtf8 = "whose name is no UTF-8";

/** What is changed within so many milliseconds of a walk can change again at the same time of its folder. */
const settledMs = 2000;

/** Throws R131 where a folder cannot be read. */
export function* lookThroughFolder(path: string, cache: IndexCache, keepFrom = fewestKept): Looking<FolderIndex> {
  const about = ["folder", realpathSync(path)];
  const known = cache.get(about, isKept);
  if (known !== undefined && (yield* isAsItWas(path, known))) {
    const { files, otherFiles, topFolders, skipped } = known;
    return { files: sharedFileList(files), otherFiles, topFolders, skipped };
  }
  const beganMs = Date.now();
  const walk = yield* walked(path);
  const index: FolderIndex = {
    files: walk.names.built(),
    otherFiles: walk.otherFiles,
    topFolders: walk.topFolders,
    skipped: walk.skipped,
  };
  const isSettled = walk.folders.every(({ timeMs }) => timeMs < beganMs - settledMs);
  if (index.files.length >= keepFrom && isSettled) {
    const kept: Kept = { ...index, files: partsOf(index.files), folders: walk.folders };
    cache.put(about, kept);
  }
  return index;
}

interface Folder {
  /** Below the one that the walk began with. */
  readonly name: string;
  readonly timeMs: number;
}

interface Kept extends Omit<FolderIndex, "files"> {
  readonly files: ReturnType<typeof partsOf>;
  readonly folders: readonly Folder[];
}

function isKept(value: unknown): value is Kept {
  return (
    typeof value === "object" &&
    value !== null &&
    "files" in value &&
    areFileListParts(value.files) &&
    "folders" in value &&
    Array.isArray(value.folders) &&
    "skipped" in value &&
    value.skipped instanceof Map &&
    "otherFiles" in value &&
    "topFolders" in value
  );
}

const foldersAtOnce = 256;

function* isAsItWas(path: string, { folders, files }: Kept): Looking<boolean> {
  for (const [i, { name, timeMs }] of folders.entries()) {
    const info = statSync(join(path, name), { throwIfNoEntry: false });
    if (info === undefined || !info.isDirectory() || info.mtimeMs !== timeMs) return false;
    if (i % foldersAtOnce === 0) yield { images: files.starts.length - 1, done: i, of: null };
  }
  return true;
}

interface Walk {
  readonly names: ReturnType<typeof fileListBuilder>;
  readonly folders: Folder[];
  readonly skipped: Map<string, number>;
  otherFiles: number;
  topFolders: number;
  /** Real paths of the folders behind symbolic links: each is walked once, and none that the link itself lies in. */
  readonly visited: Set<string>;
}

function* walked(path: string): Looking<Walk> {
  const walk: Walk = {
    names: fileListBuilder(),
    folders: [],
    skipped: new Map(),
    otherFiles: 0,
    topFolders: 0,
    visited: new Set([realpathSync(path)]),
  };
  yield* visit(walk, path, "");
  return walk;
}

function* visit(walk: Walk, top: string, relative: string): Looking<void> {
  const folder = join(top, relative);
  const { timeMs, entries } = read(folder);
  walk.folders.push({ name: relative, timeMs });
  yield { images: walk.names.length, done: walk.folders.length, of: null };
  for (const entry of entries) {
    if (isUnnamed(folder, entry)) {
      walk.skipped.set(notUtf8, (walk.skipped.get(notUtf8) ?? 0) + 1);
      continue;
    }
    const name = relative === "" ? entry.name : `${relative}/${entry.name}`;
    const kind = kindOf(folder, entry);
    if (kind === "image") walk.names.add(name);
    else if (kind === "other") {
      walk.otherFiles++;
      const ending = extname(entry.name).toLowerCase();
      if (unread.includes(ending)) walk.skipped.set(ending, (walk.skipped.get(ending) ?? 0) + 1);
    } else if (kind === "folder") {
      if (relative === "") walk.topFolders++;
      if (entry.isSymbolicLink()) {
        const real = realpathSync(join(folder, entry.name));
        if (walk.visited.has(real) || `${realpathSync(folder)}${sep}`.startsWith(`${real}${sep}`)) continue;
        walk.visited.add(real);
      }
      yield* visit(walk, top, name);
    }
  }
}

/** Sorted; without hidden files (macOS leaves `._name.jpg` beside images). The time is taken first: a later change shows. */
function read(folder: string): { readonly timeMs: number; readonly entries: readonly Dirent[] } {
  try {
    const timeMs = statSync(folder).mtimeMs;
    const entries = readdirSync(folder, { withFileTypes: true });
    return {
      timeMs,
      entries: entries.filter(({ name }) => !name.startsWith(".")).sort((a, b) => byCodePoint(a.name, b.name)),
    };
  } catch (cause) {
    throw dataFolderUnreadable({ folder, why: reasonOf(cause) });
  }
}

/** Bytes that are no UTF-8 are read as U+FFFD, and under that name there is nothing. */
function isUnnamed(folder: string, { name }: Dirent): boolean {
  return name.includes("\ufffd") && lstatSync(join(folder, name), { throwIfNoEntry: false }) === undefined;
}

/** A link that leads nowhere, or round in a circle. */
const leadsNowhere = ["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EACCES", "EPERM"];

function linked(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (cause) {
    if (hasCode(cause, ...leadsNowhere)) return undefined;
    throw dataFolderUnreadable({ folder: path, why: reasonOf(cause) });
  }
}

function kindOf(folder: string, entry: Dirent): "folder" | "image" | "other" | "nothing" {
  let isFolder = entry.isDirectory();
  let isFile = entry.isFile();
  if (entry.isSymbolicLink()) {
    const target = linked(join(folder, entry.name));
    if (target === undefined) return "nothing";
    isFolder = target.isDirectory();
    isFile = target.isFile();
  }
  if (isFolder) return "folder";
  return isFile ? (isImageName(entry.name) ? "image" : "other") : "nothing";
}
