/** `ijepa import FILE`: official configurations as specs and back, weights of others as a starting checkpoint. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, relative } from "node:path";
import { errors, exitCode } from "../compiler/diagnostics/catalogue";
import { type Diagnostic, unplaced } from "../compiler/diagnostics/diagnostic";
import { writeWhole } from "../compiler/output/write";
import { loadSpec, specFromText } from "../compiler/spec/load";
import { UserError } from "../runtime/errors";
import { ExportRefused } from "../tools/export/refused";
import { configFromSpec, specFromConfig } from "../tools/import/official-config";
import { importWeights } from "../tools/import/weights";
import { printDiagnostics } from "./print";

export interface ImportCommandOptions {
  readonly out?: string;
  /** Training images, for a configuration. */
  readonly images?: string;
  /** GPUs that shared a batch, for a configuration. */
  readonly gpus?: string;
}

/** Resolves to the exit code: 0 written, 1 the configuration or spec is wrong, 2 could not import. */
export async function importCommand(file: string, options: ImportCommandOptions): Promise<number> {
  try {
    if (/\.ya?ml$/i.test(file)) return importConfig(file, options);
    if (/\.jsonc?$/i.test(file)) return exportConfig(file, options);
    const out = options.out ?? `${nameOf(file)}-weights.safetensors`;
    const { notes } = await importWeights(file, out);
    return done(file, out, [...notes, `begin a training with it: node generated/<name>/train.js --init-from ${out}`]);
  } catch (error) {
    if (error instanceof ExportRefused) return refused([unplaced(error.file, error.problem)]);
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`${error.code}: ${error.message.replace(/^--init-from: /, "")}\n`);
    return 2;
  }
}

function importConfig(file: string, options: ImportCommandOptions): number {
  const out = options.out ?? `${nameOf(file)}.json`;
  const images = countOf("--images", options.images);
  const gpus = countOf("--gpus", options.gpus);
  for (const given of [images, gpus]) if (typeof given === "object" && given !== null) return refused([given]);
  const info = statSync(file, { throwIfNoEntry: false });
  if (info === undefined) return refused([unplaced(file, errors.fileMissing({ near: null }))]);
  if (info.isDirectory()) return refused([unplaced(file, errors.fileIsFolder())]);
  const most = 1_000_000;
  if (info.size > most) return refused([unplaced(file, errors.tooLarge({ limit: most }))]);
  const text = readFileSync(file, "utf8");
  const read = specFromConfig({
    file,
    text,
    images: typeof images === "number" ? images : null,
    gpus: typeof gpus === "number" ? gpus : null,
  });
  if (!read.ok) return refused(read.diagnostics);
  const spec = { description: `From the official configuration ${basename(file)}.`, ...read.spec };
  const json = `${JSON.stringify(spec, null, 2)}\n`;
  const loaded = specFromText({ text: json, file: out });
  if (!loaded.ok) return refused(loaded.diagnostics);
  if (existsSync(out)) return refused([unplaced(out, errors.fileInTheWay())]);
  writeWhole(out, json);
  return done(file, out, read.notes);
}

function exportConfig(file: string, { out = `${nameOf(file)}.yaml` }: ImportCommandOptions): number {
  const loaded = loadSpec(file);
  if (!loaded.ok) return refused(loaded.diagnostics);
  const made = configFromSpec(loaded.spec, file);
  if (!made.ok) return refused(made.diagnostics);
  if (existsSync(out)) return refused([unplaced(out, errors.fileInTheWay())]);
  writeWhole(out, made.text);
  return done(file, out, []);
}

/** A whole number of 1 or more; null where the flag is not given; else what is wrong. */
function countOf(flag: string, given: string | undefined): number | null | Diagnostic {
  if (given === undefined) return null;
  const count = Number(given);
  if (Number.isSafeInteger(count) && count > 0) return count;
  const what = `${flag} is ${JSON.stringify(given)}`;
  return unplaced(null, errors.badUsage({ what, hint: "It takes a whole number of 1 or more." }));
}

function nameOf(file: string): string {
  return basename(file).replace(/\.(ya?ml|jsonc?|safetensors|pth\.tar|pth|pt|bin|ckpt)$/i, "");
}

function done(file: string, out: string, notes: readonly string[]): number {
  const here = (path: string): string => relative(".", path) || ".";
  process.stdout.write(`${here(file)} → ${here(out)}\n${notes.map((note) => `  ${note}\n`).join("")}`);
  return 0;
}

function refused(diagnostics: readonly Diagnostic[]): number {
  printDiagnostics(diagnostics);
  return exitCode(diagnostics);
}
