/**
 * Where a PJRT plugin lies: named by the flag --pjrt-plugin or by IJEPA_PJRT_PLUGIN; beside the trainer; where
 * scripts/pjrt-cpu.mjs put it; or in a Python environment, which is looked through without running Python.
 */
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import { cacheFolder, homeFolder } from "../../../cache-folder";
import { noPjrtPlugin } from "../../../errors";
import type { XlaDevice } from "../target";
import { installCommands, knownPlugins } from "./known";

export const PLUGIN_VARIABLE = "IJEPA_PJRT_PLUGIN";

export interface PluginPlaces {
  /** Of the flag. */
  readonly named?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Folders that a plugin may lie in beside the trainer. */
  readonly beside?: readonly string[];
}

/** Throws UserError R105 where there is none. */
export function findPlugin(device: XlaDevice, places: PluginPlaces = {}): string {
  const env = places.env ?? process.env;
  const named = places.named ?? env[PLUGIN_VARIABLE];
  if (named !== undefined && named !== "") {
    const path = resolve(named);
    if (existsSync(path)) return path;
    const by = places.named === undefined ? PLUGIN_VARIABLE : "--pjrt-plugin";
    throw noPjrtPlugin({ device, looked: [`${path}, which ${by} names`], install: installCommands[device] });
  }
  const folders = [...(places.beside ?? besideTrainer()), pluginFolder(env), ...pythonFolders(env)];
  for (const folder of folders) {
    const found = pluginsIn(folder, device)[0];
    if (found !== undefined) return found;
  }
  throw noPjrtPlugin({ device, looked: folders, install: installCommands[device] });
}

/** Every plugin for a device, in the order in which they are looked for. */
export function allPlugins(
  device: XlaDevice,
  { env = process.env, beside = besideTrainer() }: PluginPlaces = {},
): string[] {
  const folders = [...beside, pluginFolder(env), ...pythonFolders(env)];
  return [...new Set(folders.flatMap((folder) => pluginsIn(folder, device)))];
}

function pluginsIn(folder: string, device: XlaDevice): string[] {
  return knownPlugins[device]
    .flatMap(({ file }) => [join(folder, file), join(folder, basename(file))])
    .filter((path) => existsSync(path));
}

/** What scripts/pjrt-cpu.mjs fetches goes here, laid out as in site-packages. */
export function pluginFolder(env: Readonly<Record<string, string | undefined>>): string {
  return cacheFolder("pjrt", env);
}

function besideTrainer(): string[] {
  // __filename is that of the bundle, which is CommonJS; the sources are modules and have none.
  return typeof __filename === "string" ? [dirname(__filename)] : [];
}

/** site-packages of the environment that is active, of the python3 that is found, and of the user; the newest first. */
function pythonFolders(env: Readonly<Record<string, string | undefined>>): string[] {
  const active = [env.VIRTUAL_ENV, env.CONDA_PREFIX].flatMap((prefix) => (prefix ? [prefix] : []));
  const found = (env.PATH ?? "").split(delimiter).flatMap((folder) => {
    const python = join(folder, "python3");
    if (folder === "" || !existsSync(python)) return [];
    // An environment's own python3 is a link out of it.
    return [dirname(folder), dirname(dirname(realpathSync(python)))];
  });
  const folders = [...active, ...found, join(homeFolder(), ".local")].flatMap((prefix) =>
    ["lib", "lib64"].flatMap((library) => packagesIn(join(prefix, library))),
  );
  return [...new Set(folders)];
}

function packagesIn(library: string): string[] {
  const versions = (existsSync(library) ? readdirSync(library) : [])
    .filter((name) => /^python3(\.\d+)?$/.test(name))
    .sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
  return versions
    .flatMap((version) => ["site-packages", "dist-packages"].map((name) => join(library, version, name)))
    .filter((path) => existsSync(path));
}
