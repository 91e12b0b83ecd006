/** What a person has changed in the folder of a trainer: whatever would be lost if the files were written anew. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { diffLines } from "diff";
import type { GeneratedFile } from "../emit/code";
import { readHeader } from "../emit/header";
import { hashOf, type Manifest, readManifest, withPlainEnds } from "./manifest";

/** How a file lies there: as a generator wrote it, with a person's changes, or with git's marks of a merge to settle. */
export type FileState = "as written" | "edited" | "conflict";

/** Both sides of a conflict are in git, so nothing is lost with it. */
const hasConflict = (text: string): boolean => /^<{7} /m.test(text) && /^>{7} /m.test(text);

/**
 * The manifest knows the file of its own generation, the header that of any: a checkout of one file from another commit
 * is no edit. `manifest` is null where there is none to read; then a file without a header counts as written.
 */
export function fileState(name: string, text: string, manifest: Manifest | null): FileState {
  const recorded = manifest?.files[name];
  if (recorded === hashOf(text)) return "as written";
  if (hasConflict(text)) return "conflict";
  const header = readHeader(withPlainEnds(text));
  if (header !== null) return header.edited ? "edited" : "as written";
  return manifest === null && !name.endsWith(".ts") ? "as written" : "edited";
}

/** One file with what a person has made of it. */
export interface Edit {
  /** Name in the folder. */
  readonly name: string;
  /** Lines that writing it anew would take away. */
  readonly added: number;
  /** Lines that it would bring back. */
  readonly removed: number;
  /** The text as it would be written; empty where the compiler has no such file any more. */
  readonly compiled: string;
  readonly text: string;
}

export interface Edits {
  /** The folder of the trainer. */
  readonly folder: string;
  /** Never empty. */
  readonly files: readonly Edit[];
  /** The spec or the generator has changed too, so that the differences are not the person's alone. */
  readonly isOther: boolean;
}

/** What writing these files to `folder` would destroy; null where that is nothing. */
export function editsIn(folder: string, files: readonly GeneratedFile[]): Edits | null {
  const manifest = readManifest(folder);
  const compiled = new Map(files.map(({ name, text }) => [name, text]));
  const names = [...new Set([...compiled.keys(), ...writtenBefore(folder)])];
  const edits = names.flatMap((name): readonly Edit[] => {
    const path = join(folder, name);
    if (!existsSync(path)) return [];
    const text = textOf(path);
    const now = compiled.get(name) ?? "";
    if (text === now || fileState(name, text, manifest) !== "edited") return [];
    return [{ name, text, compiled: now, ...lineCounts(now, text) }];
  });
  const isOther = edits.some(({ name, compiled: now }) => manifest?.files[name] !== hashOf(now));
  return edits.length === 0 ? null : { folder, files: edits, isOther };
}

/** Names of the generated files in a folder that a person has changed. */
export function editedFiles(folder: string): readonly string[] {
  const manifest = readManifest(folder);
  return writtenBefore(folder).filter((name) => fileState(name, textOf(join(folder, name)), manifest) === "edited");
}

/** Names of the files in a folder that a generator wrote there. What else lies there is none of its business. */
export function writtenBefore(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const recorded = readManifest(folder)?.files ?? {};
  const wrote = (name: string): boolean =>
    Object.hasOwn(recorded, name) || (name.endsWith(".ts") && readHeader(textOf(join(folder, name))) !== null);
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isFile() && wrote(entry.name) ? [entry.name] : [],
  );
}

const textOf = (path: string): string => withPlainEnds(readFileSync(path, "utf8"));

function lineCounts(was: string, is: string): { readonly added: number; readonly removed: number } {
  const parts = diffLines(was, is);
  const sum = (side: "added" | "removed") => parts.reduce((n, part) => n + (part[side] ? part.count : 0), 0);
  return { added: sum("added"), removed: sum("removed") };
}
