/**
 * Native packages cannot lie inside the bundle: they are looked for where the bundle lies, where the program was
 * started from, and in the current folder.
 */
import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { packageBroken, packageMissing } from "../errors";
import { messageOf } from "../exceptions";
import { installOf } from "../installs";

/** Folders whose node_modules (and those above) are searched, by a file in each. */
function searchedFrom(): string[] {
  // __filename is that of the bundle, which is CommonJS; the sources are modules and have none.
  const bundle = typeof __filename === "string" ? [__filename] : [];
  return [...bundle, ...scripts(), join(process.cwd(), "noop.js")];
}

/** What was started, by its name and where that leads: a command that is installed globally is a link. */
function scripts(): readonly string[] {
  const [, script] = process.argv;
  if (script === undefined) return [];
  try {
    return [script, realpathSync(script)];
  } catch {
    return [script];
  }
}

/** Where the file of a package lies, e.g. "onnxruntime-node/package.json"; undefined where it is not installed. */
export function resolveExternal(request: string): string | undefined {
  for (const from of searchedFrom()) {
    try {
      return createRequire(from).resolve(request);
    } catch {
      // Not there; the next folder may have it.
    }
  }
  return undefined;
}

/** The package, as `require` gives it. Throws UserError R101 or R102 where it is missing or does not load. */
export function requireExternal(name: string): unknown {
  const path = resolveExternal(name);
  if (path === undefined) throw packageMissing({ name, folder: process.cwd(), ...installOf(name) });
  try {
    return createRequire(path)(path);
  } catch (cause) {
    const why = messageOf(cause);
    throw packageBroken({ name, path, why, cause, ...installOf(name) });
  }
}
