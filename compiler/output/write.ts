/** Puts a trainer's files in their folder. Every file appears whole or not at all. */
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../../runtime/make-folder";
import type { Compiled } from "../compile";
import type { GeneratedFile } from "../emit/code";
import { writtenBefore } from "./edits";
import { manifestOf } from "./manifest";

/** Bundles are CommonJS wherever they lie, also below a package that is not. */
const PACKAGE = `${JSON.stringify({ type: "commonjs" })}\n`;
const STARTER = "// The trainer that was compiled last.\n";

/** What is written beside the folders of trainers, and whether a text of that name is of here. */
export const besideTrainers: Readonly<Record<string, (text: string) => boolean>> = {
  "package.json": (text) => text === PACKAGE,
  "train.js": (text) => text.startsWith(STARTER),
};

/** Writes beside the file first, then puts it in place. */
export function writeWhole(path: string, text: string): void {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(draft, text);
    renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

export interface WriteInput {
  /** Folder of all trainers, e.g. `generated`. */
  readonly out: string;
  readonly compiled: Compiled;
  /** train.js */
  readonly bundle: string;
}

/** Writes `<out>/<name>/`, whatever lies there, and takes away what an earlier version wrote; gives that folder. */
export function writeTrainer({ out, compiled, bundle }: WriteInput): string {
  const { name } = compiled.plan.experiment;
  const folder = join(out, name);
  makeFolder(folder);
  const manifest: GeneratedFile = {
    name: "manifest.json",
    text: `${JSON.stringify(manifestOf(folder, compiled), null, 2)}\n`,
  };
  const files = [...compiled.files, { name: "train.js", text: bundle }, manifest];
  const before = writtenBefore(folder);
  for (const file of files) writeWhole(join(folder, file.name), file.text);
  const kept = new Set(files.map((file) => file.name));
  for (const name of before) if (!kept.has(name)) rmSync(join(folder, name));
  writeWhole(join(out, "package.json"), PACKAGE);
  return folder;
}

/** Makes `<out>/train.js` start the trainer of this name. */
export function pointAt(out: string, name: string): void {
  writeWhole(join(out, "train.js"), `${STARTER}require(${JSON.stringify(`./${name}/train.js`)});\n`);
}
