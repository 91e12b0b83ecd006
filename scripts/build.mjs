/**
 * Bundles the command line to dist/: one entry, and a chunk for everything that only some commands load. Packages stay
 * outside, so that dist/ holds this project's code and nothing else. Plain JavaScript, since it runs before any build.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, "dist");
const entry = join(dist, "ijepa.js");
const sources = [
  "commands",
  "tools",
  "compiler",
  "runtime",
  "schema",
  "templates",
  "scripts/build.mjs",
  "package.json",
];
const hourMs = 3_600_000;

/** Builds unless dist/ is newer than every source. */
export async function buildIfStale() {
  const built = statSync(entry, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (newest(sources.map((source) => join(root, source))) >= built) await build();
}

/** Safe beside another process that builds or runs: chunks are named after their content and the entry comes last. */
export async function build() {
  const startedMs = Date.now();
  const { build: bundle } = await import("esbuild");
  const { outputFiles } = await bundle({
    absWorkingDir: root,
    entryPoints: { ijepa: "commands/main.ts" },
    outdir: dist,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20.9",
    packages: "external",
    chunkNames: "chunk-[name]-[hash]",
    legalComments: "none",
    logLevel: "silent",
    write: false,
  });
  mkdirSync(dist, { recursive: true });
  for (const { path, contents } of outputFiles.filter(({ path }) => path !== entry)) replace(path, contents);
  for (const { contents } of outputFiles.filter(({ path }) => path === entry)) replace(entry, contents);
  // What changed while esbuild was reading counts as newer than the result.
  utimesSync(entry, startedMs / 1000, startedMs / 1000);
  const current = new Set(outputFiles.map(({ path }) => basename(path)));
  for (const name of readdirSync(dist)) {
    const path = join(dist, name);
    const stats = statSync(path, { throwIfNoEntry: false });
    // A chunk of an earlier build may still be wanted by a process that started before this one.
    if (!current.has(name) && stats !== undefined && startedMs - stats.mtimeMs > hourMs) rmSync(path, { force: true });
  }
}

function replace(path, contents) {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, contents);
  renameSync(temporary, path);
}

/** Time of the last change; a folder's own time tells of files that are gone. */
function newest(paths) {
  let latest = 0;
  for (const path of paths) {
    const stats = statSync(path);
    latest = Math.max(latest, stats.mtimeMs);
    if (stats.isDirectory()) latest = Math.max(latest, newest(readdirSync(path).map((name) => join(path, name))));
  }
  return latest;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  // For a package: nothing of earlier builds goes along.
  if (argv.includes("--clean")) rmSync(dist, { recursive: true, force: true });
  await build();
}
