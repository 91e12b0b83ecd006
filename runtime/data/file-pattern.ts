/** Which files a path of the data names: one, those of a folder, or those that match `train-{000000..000099}.tar` or `train-*.tar`. */
import { readdirSync, type Stats, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { expand } from "brace-expansion";
import { dataFileMissing, dataFolderUnreadable, tooManyDataFiles } from "../errors";
import { reasonOf } from "../exceptions";
import { byCodePoint } from "./file-list";

/** More files than any data set has shards. */
const mostFiles = 100_000;

export interface FoundFiles {
  /** The folder that names are relative to: what of the path no pattern is in. Absolute. */
  readonly where: string;
  /** Relative to `where`, with `/`; in the order of the pattern, or of code points. */
  readonly names: readonly string[];
}

export interface PatternOptions {
  readonly root: string;
  /** As the experiment says; relative to `root` unless absolute. */
  readonly given: string;
  readonly what: "train" | "validation";
  /** Of the files of a folder that count, e.g. ".tar"; the usual one first. */
  readonly endings: readonly string[];
}

/** Throws R121 where one that is named, or any, is not there, R128 where there are too many, R131 where a folder cannot be read. */
export function filesOfPattern({ root, given, what, endings }: PatternOptions): FoundFiles {
  const path = resolve(root, given);
  const info = infoOf(path);
  const missing = (file: string) => dataFileMissing({ file, given, what, endings });
  if (info?.isDirectory()) {
    const names = matches(path, "*").filter((name) => endings.some((ending) => name.endsWith(ending)));
    if (names.length === 0) throw missing(join(path, `*${endings[0] ?? ""}`));
    return { where: path, names };
  }
  if (info !== undefined) return { where: dirname(path), names: [relative(dirname(path), path)] };
  const expanded = expand(given.split(sep).join("/"), { max: mostFiles + 1 });
  if (expanded.length > mostFiles) throw tooManyDataFiles({ given, most: mostFiles });
  const files: string[] = [];
  for (const one of expanded) {
    const found = withWildcards(root, one);
    if (found.length === 0) throw missing(resolve(root, one));
    files.push(...found);
    if (files.length > mostFiles) throw tooManyDataFiles({ given, most: mostFiles });
  }
  const where = resolve(root, plainFolder(given));
  return { where, names: [...new Set(files)].map((file) => relative(where, file).split(sep).join("/")) };
}

/** Undefined too where no file can have that name. */
function infoOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

const isWild = (part: string): boolean => /[*?]/.test(part);

/** The folders before the first with a pattern in its name. */
function plainFolder(given: string): string {
  const parts = given.split("/");
  const first = parts.findIndex((part) => isWild(part) || part.includes("{"));
  const plain = parts.slice(0, first === -1 ? -1 : first).join("/");
  return given.startsWith("/") && plain === "" ? "/" : plain;
}

/** Absolute paths of the files that are there. */
function withWildcards(root: string, pattern: string): readonly string[] {
  let found = [pattern.startsWith("/") ? "/" : resolve(root)];
  const parts = pattern.split("/").filter((part) => part !== "");
  for (const [i, part] of parts.entries()) {
    const wanted = i === parts.length - 1 ? "file" : "folder";
    found = found.flatMap((folder) =>
      (isWild(part) ? matches(folder, part) : [part])
        .map((name) => join(folder, name))
        .filter((path) => {
          const info = infoOf(path);
          return wanted === "file" ? info?.isFile() : info?.isDirectory();
        }),
    );
  }
  return found;
}

/** Names in a folder, sorted, without hidden ones. */
function matches(folder: string, pattern: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith(".") && isMatch(name, pattern))
      .sort(byCodePoint);
  } catch (cause) {
    throw dataFolderUnreadable({ folder, why: reasonOf(cause) });
  }
}

/** `*` is any text, `?` any character. Goes back to the last `*` alone, so that no pattern takes long. */
export function isMatch(name: string, pattern: string): boolean {
  let [at, here] = [0, 0];
  let star: { readonly pattern: number; name: number } | null = null;
  while (at < name.length) {
    if (pattern[here] === "*") star = { pattern: here++, name: at };
    else if (pattern[here] === "?" || pattern[here] === name[at]) {
      at++;
      here++;
    } else if (star !== null) {
      here = star.pattern + 1;
      at = ++star.name;
    } else return false;
  }
  while (pattern[here] === "*") here++;
  return here === pattern.length;
}
