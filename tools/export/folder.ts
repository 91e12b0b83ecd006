/** The folder of an export: whole or not there. What it held before stays until the new one is complete. */
import { createHash } from "node:crypto";
import {
  copyFileSync,
  createReadStream,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { errors } from "../../compiler/diagnostics/catalogue";
import type { Problem } from "../../compiler/diagnostics/diagnostic";

/** Says that a folder is an export, and which files of it are ours. */
export const manifestFile = "ijepa-export.json";

export interface ExportManifest {
  readonly generator: string;
  readonly format: string;
  readonly experiment: string;
  /** Which weights: the same text for the same checkpoint and encoder. */
  readonly weights: string;
  /** sha256 by path, with `/`. */
  readonly files: Readonly<Record<string, string>>;
}

export interface ExportPlace {
  readonly out: string;
  readonly manifest: Omit<ExportManifest, "files">;
}

/** Why nothing may be written there; null where it may. */
export function inTheWay({ out, manifest }: ExportPlace): Problem | null {
  const info = statSync(out, { throwIfNoEntry: false });
  if (info === undefined) return null;
  if (!info.isDirectory()) return errors.exportInTheWay({ found: "a file" });
  const names = readdirSync(out);
  if (names.length === 0) return null;
  const there = readManifest(out);
  if (there === null) return errors.exportInTheWay({ found: `${names.length} files, and no ${manifestFile}` });
  return there.format === manifest.format ? null : errors.exportInTheWay({ found: `an export as ${there.format}` });
}

/** `fill` writes into an empty folder, which then takes the place of `out`. Its error is passed on, and nothing is left. */
export async function writeExport<T>(
  { out, manifest }: ExportPlace,
  fill: (folder: string) => Promise<T>,
): Promise<{ readonly made: T; readonly bytes: number }> {
  const target = resolve(out);
  const madeFrom = firstMissing(dirname(target));
  mkdirSync(dirname(target), { recursive: true });
  const draft = beside(target, "new");
  const old = beside(target, "old");
  const clean = (): void => rmSync(draft, { recursive: true, force: true });
  const stopped = (signal: "SIGINT" | "SIGTERM"): void => {
    clean();
    process.kill(process.pid, signal);
  };
  process.once("SIGINT", stopped).once("SIGTERM", stopped);
  try {
    clean();
    mkdirSync(draft);
    const made = await fill(draft);
    const written = filesBelow(draft);
    const files: Record<string, string> = {};
    for (const name of written) files[name] = await hashOfFile(join(draft, name));
    const before = existsSync(target) ? readManifest(target) : null;
    if (before !== null) Object.assign(files, keepOthers({ target, draft, before, weights: manifest.weights }));
    writeFileSync(join(draft, manifestFile), `${JSON.stringify({ ...manifest, files }, null, 2)}\n`);
    const bytes = written.reduce((sum, name) => sum + statSync(join(draft, name)).size, 0);
    replace({ target, draft, old });
    return { made, bytes };
  } catch (cause) {
    clean();
    if (madeFrom !== undefined) rmSync(madeFrom, { recursive: true, force: true });
    throw cause;
  } finally {
    process.off("SIGINT", stopped).off("SIGTERM", stopped);
  }
}

/** In one folder with its final place, so that a rename puts it there. */
function beside(target: string, what: string): string {
  return join(dirname(target), `.${basename(target)}.${process.pid}.${what}.tmp`);
}

/**
 * Files that somebody put there stay, and so do other files of ours as long as they are of the same weights: another number
 * format of the same encoder. Gives the hashes of ours.
 */
function keepOthers(of: {
  readonly target: string;
  readonly draft: string;
  readonly before: ExportManifest;
  readonly weights: string;
}): Readonly<Record<string, string>> {
  const { target, draft, before, weights } = of;
  const kept: Record<string, string> = {};
  for (const name of filesBelow(target)) {
    const hash = Object.hasOwn(before.files, name) ? before.files[name] : undefined;
    const isStale = hash !== undefined && before.weights !== weights;
    if (name === manifestFile || isStale || existsSync(join(draft, name))) continue;
    const to = join(draft, name);
    mkdirSync(dirname(to), { recursive: true });
    try {
      linkSync(join(target, name), to);
    } catch {
      copyFileSync(join(target, name), to);
    }
    if (hash !== undefined) kept[name] = hash;
  }
  return kept;
}

function replace({ target, draft, old }: { readonly target: string; readonly draft: string; readonly old: string }) {
  if (!existsSync(target)) {
    renameSync(draft, target);
    return;
  }
  renameSync(target, old);
  try {
    renameSync(draft, target);
  } catch (cause) {
    renameSync(old, target);
    throw cause;
  }
  rmSync(old, { recursive: true, force: true });
}

function readManifest(folder: string): ExportManifest | null {
  try {
    const value: unknown = JSON.parse(readFileSync(join(folder, manifestFile), "utf8"));
    return isManifest(value) ? value : null;
  } catch {
    return null;
  }
}

function isManifest(value: unknown): value is ExportManifest {
  if (typeof value !== "object" || value === null) return false;
  const fields: Readonly<Record<string, unknown>> = { ...value };
  const { files } = fields;
  return (
    ["generator", "format", "experiment", "weights"].every((name) => typeof fields[name] === "string") &&
    typeof files === "object" &&
    files !== null &&
    Object.values(files).every((hash) => typeof hash === "string")
  );
}

/** Paths of all files below, with `/`, in the order of their names. */
function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll("\\", "/"),
    )
    .sort();
}

async function hashOfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}

/** The outermost folder that has to be made; undefined where all are there. */
function firstMissing(folder: string): string | undefined {
  return existsSync(folder) ? undefined : (firstMissing(dirname(folder)) ?? folder);
}
