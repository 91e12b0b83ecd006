#!/usr/bin/env node
/**
 * Fetches what compiles programs for NVIDIA's cards on a machine that has none: the PJRT plugin of JAX for CUDA, and from
 * two packages of NVIDIA's the assembler and the library of mathematical functions that it needs. From the Python registry
 * without Python; needs Linux on x86-64.
 *
 *   node scripts/pjrt-cuda.mjs                 230 MB, of which 450 MB are kept in ~/.cache/ijepa/pjrt-cuda
 *
 *   --version V      of the plugin: 0.11.2 (default), 0.12.0.1 or all
 *   --folder DIR     where it goes instead: DIR/V; name DIR in IJEPA_PJRT_CUDA then
 *
 * It compiles and nothing more: to train on a card, the plugin also needs NVIDIA's cuBLAS, cuDNN and others, which
 * `pip install "jax-cuda13-plugin[with-cuda]"` brings. So no trainer looks for it here. `npm run test:h100` does. The path of
 * the library is the only line on the standard output.
 */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { arch, env, platform } from "node:process";
import { parseArgs } from "node:util";
import { download, runScript, Stop, say, unpack, usageOf } from "./wheels.mjs";

const PLUGIN = "jax_plugins/xla_cuda13/xla_cuda_plugin.so";

const PLUGINS = {
  "0.11.2": "e5ff589d43064913bb74027682d89639c7ea48f9f81c2bae6fc75117e913f93e",
  "0.12.0.1": "5899bb6177eda86ea532afb9a26794f2bdd04966f6a01f9028266b16c2b6cf90",
};

/** The plugin finds these beside it, as in site-packages (runtime/engines/xla/plugin/open.ts). */
const TOOLS = [
  {
    project: "nvidia-cuda-nvcc",
    file: "nvidia_cuda_nvcc-13.0.88-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
    sha256: "56fe502eb77625a12f25172caa3cdddb4e4c8ba2c8c17dba44b164761b380f03",
    keep: "nvidia/cu13/bin/ptxas",
  },
  {
    project: "nvidia-nvvm",
    file: "nvidia_nvvm-13.0.88-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl",
    sha256: "c5f41ffeb6466944a026dfa5317d7d85355c119bbec279205d22f1869d1054e0",
    keep: "nvidia/cu13/nvvm/libdevice/libdevice.10.bc",
  },
];

const OTHERWISE = "Without it `npm run test:h100` is left out; nothing else needs it.";

async function main() {
  const { values } = parseArgs({
    options: {
      version: { type: "string", default: "0.11.2" },
      folder: { type: "string", default: join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "ijepa", "pjrt-cuda") },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(usageOf(import.meta.url));
  if (platform !== "linux" || arch !== "x64") {
    throw new Stop(`This script knows the plugin for linux x64, and this is ${platform} ${arch}.`);
  }
  const wanted = Object.entries(PLUGINS).filter(([version]) => values.version === "all" || values.version === version);
  if (wanted.length === 0) {
    const names = Object.keys(PLUGINS).join(", ");
    throw new Stop(`--version takes ${names} or all; found ${JSON.stringify(values.version)}.`);
  }
  for (const [version, sha256] of wanted) {
    const file = `jax_cuda13_pjrt-${version}-py3-none-manylinux_2_27_x86_64.whl`;
    const folder = join(resolve(values.folder), version);
    for (const wheel of [...TOOLS, { project: "jax-cuda13-pjrt", file, sha256, keep: PLUGIN }]) {
      await keepOf(wheel, folder);
    }
    console.log(join(folder, PLUGIN));
  }
}

/** One file of a wheel, whole or not at all, also when two fetch it at once. */
async function keepOf({ keep, ...wheel }, folder) {
  const path = join(folder, keep);
  if (existsSync(path)) return;
  mkdirSync(dirname(path), { recursive: true });
  const draft = mkdtempSync(join(folder, "draft-"));
  try {
    const file = join(draft, wheel.file);
    await download({ ...wheel, to: file, otherwise: OTHERWISE });
    say(`unpacking ${keep}`);
    await unpack(file, draft, (name) => name === keep);
    if (!existsSync(join(draft, keep))) throw new Stop(`${wheel.file} has no ${keep}.`);
    renameSync(join(draft, keep), path);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

runScript(import.meta.url, main);
