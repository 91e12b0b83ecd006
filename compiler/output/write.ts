/** Puts a trainer's files in their folder. Every file appears whole or not at all. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import type { Compiled } from "../compile";
import type { GeneratedFile } from "../emit/code";

export const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

/** What manifest.json says: from which spec and generator the files came, and how each looked. */
export interface Manifest {
  readonly spec: string;
  readonly generator: string;
  /** sha256 by file name. */
  readonly files: Readonly<Record<string, string>>;
  /** Seen from the trainer's folder: where relative paths of the data start. The trainer reads it. */
  readonly dataFolder?: string;
}

function manifestOf(folder: string, { plan, files, dataFolder }: Compiled): Manifest {
  const toData = dataFolder === null ? null : relative(resolve(folder), dataFolder).split(sep).join("/");
  const { specHash, generatorVersion } = plan.experiment;
  return {
    spec: specHash,
    generator: generatorVersion,
    files: Object.fromEntries(files.map(({ name, text }) => [name, hashOf(text)])),
    ...(toData !== null && { dataFolder: toData || "." }),
  };
}

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

/** Files of earlier versions that this one no longer writes. */
function removeStale(folder: string, kept: ReadonlySet<string>): void {
  for (const name of readdirSync(folder)) {
    if (/\.(ts|txt|md|json)$/.test(name) && !kept.has(name)) rmSync(join(folder, name));
  }
}

export interface WriteInput {
  /** Folder of all trainers, e.g. `generated`. */
  readonly out: string;
  readonly compiled: Compiled;
  /** train.js */
  readonly bundle: string;
}

/** Writes `<out>/<name>/`; gives that folder. */
export function writeTrainer({ out, compiled, bundle }: WriteInput): string {
  const { name } = compiled.plan.experiment;
  const folder = join(out, name);
  mkdirSync(folder, { recursive: true });
  const manifest: GeneratedFile = {
    name: "manifest.json",
    text: `${JSON.stringify(manifestOf(folder, compiled), null, 2)}\n`,
  };
  const files = [...compiled.files, { name: "train.js", text: bundle }, manifest];
  for (const file of files) writeWhole(join(folder, file.name), file.text);
  removeStale(folder, new Set(files.map((file) => file.name)));
  // Bundles are CommonJS wherever they lie, also below a package that is not.
  writeWhole(join(out, "package.json"), `${JSON.stringify({ type: "commonjs" })}\n`);
  return folder;
}

/** Makes `<out>/train.js` start the trainer of this name. */
export function pointAt(out: string, name: string): void {
  writeWhole(
    join(out, "train.js"),
    `// The trainer that was compiled last.\nrequire(${JSON.stringify(`./${name}/train.js`)});\n`,
  );
}
