/** Which generator made a trainer: a hash that changes with everything that can change what a spec comes to. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { packageRoot } from "../emit/package-root";

/** Parts of the sources that only read, show or compare: a change of them changes no trainer and no number of a run. */
const BESIDE = ["compiler/diagnostics/", "compiler/output/", "templates/results/"];

let found: string | undefined;

/**
 * sha256 over names and contents: of `compiler/` in a checkout, of `dist/` in a package, and in both of `runtime/`,
 * `templates/`, `schema/`, and the versions of the packages that a trainer is made with. Read once in a process.
 */
export function generatorHash(): string {
  found ??= hashOfPackage(packageRoot());
  return found;
}

/** The same of a package in any folder. */
export function hashOfPackage(root: string): string {
  const code = existsSync(join(root, "compiler")) ? "compiler" : "dist";
  const files = [code, "runtime", "templates", "schema"].flatMap((folder) => filesBelow(root, folder)).sort();
  const manifest: { readonly dependencies?: object } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const hash = createHash("sha256").update(JSON.stringify(manifest.dependencies ?? {}));
  // A length between name and content: no other set of files reads the same.
  for (const file of files.filter((path) => !BESIDE.some((part) => path.startsWith(part)))) {
    const content = readFileSync(join(root, file));
    hash.update(`\n${file} ${content.length}\n`).update(content);
  }
  return hash.digest("hex");
}

/** Paths from `root`, with `/` on every system. Drafts of a write under way are no files of a package. */
function filesBelow(root: string, folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(ts|js|json|hbs)$/.test(name))
    .map((name) => join(folder, name).split(sep).join("/"));
}
