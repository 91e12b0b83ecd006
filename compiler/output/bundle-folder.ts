/** A trainer as it lies in its folder, edits by hand included: type-checked and bundled, and nothing else changed. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { transformSync } from "esbuild";
import { ts } from "ts-morph";
import { bundle } from "../bundle/bundle";
import { type TypeFault, typeFaults } from "../emit/check";
import { type GeneratedCode, type GeneratedFile, standingForItself } from "../emit/code";
import { fileState } from "./edits";
import { readManifest, withPlainEnds } from "./manifest";
import { bannerOf } from "./write-many";

export interface TrainerFolder {
  readonly folder: string;
  readonly files: readonly GeneratedCode[];
  /** Names of the files that are not as the compiler wrote them. */
  readonly edited: readonly string[];
}

/** Null where the folder is not that of a trainer. */
export function readTrainer(folder: string): TrainerFolder | null {
  if (!["main.ts", "experiment.ts"].every((name) => existsSync(join(folder, name)))) return null;
  const files = readFiles(folder);
  const names = new Set(files.map(({ name }) => name));
  const manifest = readManifest(folder);
  const used = reachedFrom("main.ts", files);
  // Without a manifest nothing tells which files there should be: the headers must do.
  const gone = Object.keys(manifest?.files ?? {}).filter((name) => name.endsWith(".ts") && !names.has(name));
  const changed = used.filter(({ name, text }) => fileState(name, text, manifest) !== "as written");
  return { folder, files: used, edited: [...changed.map(({ name }) => name), ...gone] };
}

/** The TypeScript of a folder, as it lies there, sorted by name. */
export function readFiles(folder: string): readonly GeneratedCode[] {
  const texts = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map(({ name }) => ({ name, text: withPlainEnds(readFileSync(join(folder, name), "utf8")) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const names = new Set(texts.map(({ name }) => name));
  return texts.map(({ name, text }) => standingForItself({ name, text, imports: importsOf(text, names) }));
}

/** Names of the files beside it that a text imports. */
function importsOf(text: string, names: ReadonlySet<string>): readonly string[] {
  const { importedFiles } = ts.preProcessFile(text, true, false);
  const imported = importedFiles.map(({ fileName }) => `${fileName.replace(/^\.\//, "")}.ts`);
  return [...new Set(imported)].filter((name) => names.has(name));
}

/** A file with all that it imports; what lies there and is not used has no part in the trainer. */
export function reachedFrom(name: string, files: readonly GeneratedCode[]): readonly GeneratedCode[] {
  const reached = new Set([name]);
  for (const each of reached) {
    for (const imported of files.find((file) => file.name === each)?.imports ?? []) reached.add(imported);
  }
  return files.filter((file) => reached.has(file.name));
}

/**
 * sha256 of what the code does: types, comments and layout have no part in it. Nor has experiment.ts: checkpoints record
 * its constants, and compare them one by one.
 */
export function codeHash(files: readonly GeneratedFile[]): string {
  const hash = createHash("sha256");
  for (const { name, text } of files) {
    if (name === "experiment.ts") continue;
    const { code } = transformSync(text, {
      loader: "ts",
      minifyWhitespace: true,
      legalComments: "none",
      logLevel: "silent",
    });
    hash.update(`${name} ${code.length}\n`).update(code);
  }
  return hash.digest("hex");
}

export type FolderBundle =
  | {
      readonly ok: true;
      /** train.js */
      readonly text: string;
      /** Null where nothing was edited. */
      readonly editedCode: string | null;
    }
  | { readonly ok: false; readonly faults: readonly TypeFault[] };

export async function bundleFolder({ folder, files, edited }: TrainerFolder): Promise<FolderBundle> {
  const faults = typeFaults(resolve(folder), files);
  if (faults.length > 0) return { ok: false, faults };
  const banner = bannerOf(files);
  if (edited.length === 0) return { ok: true, text: await bundle({ files, banner }), editedCode: null };
  const editedCode = codeHash(files);
  return { ok: true, text: await bundle({ files, banner: editedBanner(banner, edited) }, { editedCode }), editedCode };
}

/** Whoever opens train.js is told; the header of main.ts says the contrary. */
function editedBanner(banner: string, edited: readonly string[]): string {
  return `${banner}\n// Edited by hand: ${edited.map((name) => basename(name).replaceAll(/[^\w.-]/g, "?")).join(", ")}.`;
}
