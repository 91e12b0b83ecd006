#!/usr/bin/env node
/**
 * Fetches the PJRT plugin with which engine xla computes on the processor, from the Python registry. Python itself is not
 * needed: a wheel is a ZIP file, of which the shared library is kept. Needs Linux on x86-64.
 *
 *   node scripts/pjrt-cpu.mjs                  63 MB, of which 200 MB become a library in ~/.cache/ijepa/pjrt
 *
 *   --plugin NAME    lammps-jax-pjrt-cpu (default: XLA of JAX 0.11.2), fastatomstruct-xla-cpu, xla-cpu-pjrt or all
 *   --folder DIR     where it goes instead; name the file in IJEPA_PJRT_PLUGIN then
 *   --wheel FILE     a wheel that is already here (behind a proxy: pip download --no-deps NAME)
 *
 * Each is pinned by its SHA-256: these are packages of other projects, which carry XLA as it is. The path of the library is
 * the only line on the standard output.
 */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { arch, env, platform } from "node:process";
import { parseArgs } from "node:util";
import { download, runScript, Stop, say, sha256Of, unpack, usageOf } from "./wheels.mjs";

/** The library lies where the engine looks for it (runtime/engines/xla/plugin/known.ts). */
const PLUGINS = [
  {
    project: "lammps-jax-pjrt-cpu",
    file: "lammps_jax_pjrt_cpu-0.11.2-py3-none-manylinux_2_27_x86_64.whl",
    sha256: "1319390d948b39f69f7dade496b7c385149d9ca6097a6b62114da113216d9ad1",
    library: "lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so",
  },
  {
    project: "fastatomstruct-xla-cpu",
    file: "fastatomstruct_xla_cpu-2026.6.23-py3-none-manylinux_2_27_x86_64.whl",
    sha256: "88b1c430b341b4bea40a37420311c9c75db6e22b46d2ff95b6986577bee6afe9",
    library: "fastatomstruct_xla_cpu/libpjrt_cpu.so",
  },
  {
    project: "xla-cpu-pjrt",
    file: "xla_cpu_pjrt-0.0.1-py3-none-manylinux_2_27_x86_64.whl",
    sha256: "55837b6b7b47daa717f2d9a5a03563ea0ceaa338d06a81a1e2d3f060d960decc",
    library: "xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so",
  },
];

const OTHERWISE = "Fetch the wheel by other means and name it: --wheel FILE.";

async function main() {
  const { values } = parseArgs({
    options: {
      plugin: { type: "string", default: "lammps-jax-pjrt-cpu" },
      folder: { type: "string", default: join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "ijepa", "pjrt") },
      wheel: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(usageOf(import.meta.url));
  if (platform !== "linux" || arch !== "x64") {
    throw new Stop(
      `There is no PJRT plugin for processors of ${platform} ${arch} in the registry, only for linux x64.`,
    );
  }
  const wanted = PLUGINS.filter(({ project }) => values.plugin === "all" || values.plugin === project);
  if (wanted.length === 0) {
    const names = PLUGINS.map(({ project }) => project).join(", ");
    throw new Stop(`--plugin takes ${names} or all; found ${JSON.stringify(values.plugin)}.`);
  }
  if (values.wheel !== undefined && wanted.length > 1) throw new Stop("--wheel goes with one plugin.");
  for (const plugin of wanted) console.log(await install(plugin, resolve(values.folder), values.wheel));
}

/** The library, whole or not at all, also when two fetch it at once. */
async function install(plugin, folder, wheel) {
  const path = join(folder, plugin.library);
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true });
  const draft = mkdtempSync(join(folder, "draft-"));
  try {
    const file = wheel ?? join(draft, plugin.file);
    if (wheel === undefined) await download({ ...plugin, to: file, otherwise: OTHERWISE });
    else if ((await sha256Of(wheel)) !== plugin.sha256) {
      throw new Stop(`${wheel} is not ${plugin.file}: its SHA-256 is another.`);
    }
    say(`unpacking ${plugin.library}`);
    await unpack(file, draft, (name) => name === plugin.library);
    const unpacked = join(draft, plugin.library);
    if (!existsSync(unpacked)) throw new Stop(`${file} has no ${plugin.library}.`);
    renameSync(unpacked, path);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return path;
}

runScript(import.meta.url, main);
