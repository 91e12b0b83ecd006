/** The folder of this package, whether it runs from sources or from its bundle. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

let found: string | undefined;

export function packageRoot(): string {
  if (found !== undefined) return found;
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const file = join(folder, "package.json");
    if (existsSync(file) && /"name": "ijepa"/.test(readFileSync(file, "utf8"))) {
      found = folder;
      return folder;
    }
    if (folder === dirname(folder)) throw new Error("internal: the package's own folder was not found");
  }
}

export function packageVersion(): string {
  const { version }: { readonly version?: unknown } = JSON.parse(
    readFileSync(join(packageRoot(), "package.json"), "utf8"),
  );
  if (typeof version !== "string") throw new Error("internal: package.json has no version");
  return version;
}
