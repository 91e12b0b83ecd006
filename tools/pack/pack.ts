/** A trainer that travels: its bundle, the native packages it loads, a start script, and Node itself if wanted. */
import { closeSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import { modulePath } from "../../compiler/bundle/module-path";
import { errors } from "../../compiler/diagnostics/catalogue";
import { type Diagnostic, unplaced } from "../../compiler/diagnostics/diagnostic";
import { packageVersion } from "../../compiler/emit/package-root";
import type { Spec } from "../../compiler/spec/spec";
import { commandFor } from "../doctor/diagnosis-text";
import { type Need, needsOf, takesPlugin } from "./needs";
import { filesOfPackages, type PackedFile, packageFolder } from "./packages";
import { NODE, PLUGIN, type ReadmeFacts, readmeText, startScript } from "./texts";
import type { PackageContents } from "./write";

export interface PackInput {
  readonly spec: Spec;
  /** The file as it was compiled, for whoever finds the package. */
  readonly specText: string;
  /** train.js */
  readonly bundle: string;
  /** Whether Node goes along. */
  readonly withNode: boolean;
  /** A PJRT plugin that goes along. */
  readonly plugin: string | null;
  /** From where packages are looked for first; those of ijepa itself come after. */
  readonly folder: string;
}

export type PackResult =
  | { readonly ok: true; readonly contents: PackageContents }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** What the package holds; nothing is written. */
export function packageOf({ spec, specText, bundle, withNode, plugin, folder }: PackInput): PackResult {
  const found = nativePackages(needsOf(spec), folder);
  const unfit = plugin === null ? null : whyNoPlugin(plugin);
  const diagnostics = [
    ...found.missing.map(({ packages: [name], install }) =>
      unplaced(null, errors.packageNotInstalled({ name, install: commandFor(install) })),
    ),
    ...(unfit === null ? [] : [unplaced(plugin, errors.pluginUnfit({ why: unfit }))]),
  ];
  if (diagnostics.length > 0) return { ok: false, diagnostics };
  const { name, hardware } = spec;
  const { engine, device } = hardware;
  const pluginPart = !takesPlugin(engine) ? null : plugin === null ? "is looked for" : "goes along";
  const facts: ReadmeFacts = { name, version: packageVersion(), engine, device, hasNode: withNode, plugin: pluginPart };
  const files: readonly PackedFile[] = [
    ...filesOfPackages(found.roots),
    ...(withNode ? [{ from: realpathSync(process.execPath), to: NODE }] : []),
    ...(plugin === null ? [] : [{ from: resolve(plugin), to: PLUGIN }]),
  ];
  const texts = [
    { to: "train.js", text: bundle },
    { to: "train.sh", text: startScript() },
    { to: "README", text: readmeText(facts) },
    { to: "experiment.json", text: specText },
    // The bundle is CommonJS, also below a package that is not.
    { to: "package.json", text: `${JSON.stringify({ private: true, type: "commonjs" })}\n` },
  ];
  return { ok: true, contents: { name, files, texts, programs: ["train.sh", NODE] } };
}

/** Where the packages lie, as a trainer that is started in the folder would find them. */
export function nativePackages(
  needs: readonly Need[],
  folder: string,
): { readonly roots: ReadonlyMap<string, string>; readonly missing: readonly Need[] } {
  const besides = modulePath().split(delimiter);
  const roots = new Map<string, string>();
  const missing: Need[] = [];
  for (const need of needs) {
    const found = need.packages
      .map((name) => ({ name, path: packageFolder(name, resolve(folder), besides) }))
      .find(({ path }) => path !== undefined);
    if (found?.path === undefined) {
      if (need.isOptional !== true) missing.push(need);
    } else roots.set(found.name, found.path);
  }
  return { roots, missing };
}

/** A clause; null where nothing speaks against the file. Whether it works is seen where the device is. */
function whyNoPlugin(path: string): string | null {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return "there is no such file";
  const head = Buffer.alloc(4);
  const file = openSync(path, "r");
  try {
    readSync(file, head);
  } finally {
    closeSync(file);
  }
  return head.toString("latin1") === "\x7fELF" ? null : "it does not begin as a shared library of Linux (ELF)";
}
