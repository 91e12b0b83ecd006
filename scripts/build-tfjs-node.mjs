/**
 * Builds the native part of @tensorflow/tfjs-node against a current TensorFlow, where its own installer has nothing:
 * no prebuilt addon for this Node, no download from its storage bucket, or a CUDA newer than 11.2.
 *
 *   node scripts/build-tfjs-node.mjs            for device cpu of the tfjs engine
 *   node scripts/build-tfjs-node.mjs --gpu      for device gpu: @tensorflow/tfjs-node-gpu, CUDA 12.5, cuDNN 9.3
 *
 *   --folder DIR   where node_modules is or will be (default: the current folder)
 *   --no-save      do not write the package into package.json of that folder
 *   --cache DIR    where TensorFlow is kept; the addon links to it, so it has to stay (default: ~/.cache/ijepa)
 *   --wheel FILE   a wheel of TensorFlow that is already here (behind a proxy: pip download --no-deps …)
 *   --system-cuda  with --gpu: the CUDA libraries are this machine's; do not fetch NVIDIA's wheels
 *
 * TensorFlow comes from its wheel in the Python registry. Python itself is not needed: a wheel is a ZIP file, and the C
 * interface in libtensorflow_cc.so.2 is the one that the addon calls. 2.19.1 is the last whose wheel has all of it. What
 * is fetched is checked by its SHA-256. Needed besides: Linux on x86-64 or arm64, and a C++17 compiler ($CXX, or g++).
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { arch, env, execPath, platform } from "node:process";
import { parseArgs } from "node:util";
import { download, latestFile, runScript, Stop, say, sha256Of, unpack, usageOf } from "./wheels.mjs";

const TFJS = "4.22.0";
const TENSORFLOW = "2.19.1";
const NODE_API_HEADERS = "1.9.0";

/** The wheels that the addon was built with, by kind and processor. Files of the registry never change. */
const WHEELS = {
  "cpu x64": {
    project: "tensorflow-cpu",
    file: "tensorflow_cpu-2.19.1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    sha256: "2cb4b20fa86b04c166db1616fd466d09ec850cc3b47607cf12225469e750c476",
  },
  "cpu arm64": {
    project: "tensorflow",
    file: "tensorflow-2.19.1-cp312-cp312-manylinux_2_17_aarch64.manylinux2014_aarch64.whl",
    sha256: "4c0e78b6100545fd90934c557f1ce802e6a9a7fdb031025efc298efb4aa2e3bb",
  },
  "gpu x64": {
    project: "tensorflow",
    file: "tensorflow-2.19.1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    sha256: "35a6950f3fee0ad2d1668241d31684676f2e6eceb613cbeef960ea22014ef8fb",
  },
};

/** What a person can do who cannot reach the registry. */
const OTHERWISE =
  "Fetch the wheel by other means and name it: --wheel FILE (with --gpu also --system-cuda, or the NVIDIA wheels unpacked " +
  "beside TensorFlow).";

/** What of the wheel the addon needs: two libraries, and the headers that tensorflow/c/*.h include. */
const WANTED = [
  /^tensorflow\/libtensorflow_(cc|framework)\.so\.2$/,
  /^tensorflow\/include\/(tensorflow\/(c|core\/platform)|tsl|xla\/tsl)\//,
  /\.dist-info\/METADATA$/,
];

function options() {
  const { values } = parseArgs({
    options: {
      gpu: { type: "boolean", default: false },
      folder: { type: "string", default: "." },
      "no-save": { type: "boolean", default: false },
      cache: { type: "string", default: join(env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "ijepa") },
      wheel: { type: "string" },
      "system-cuda": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  return { ...values, folder: resolve(values.folder), cache: resolve(values.cache) };
}

async function main() {
  const { gpu, folder, cache, wheel, help, ...flags } = options();
  if (help) return console.log(usageOf(import.meta.url));
  const kind = `${gpu ? "gpu" : "cpu"} ${arch}`;
  const known = WHEELS[kind];
  if (platform !== "linux" || known === undefined) {
    throw new Stop(
      `There is no TensorFlow wheel for "${kind}" on ${platform} that this script knows how to use; ` +
        "it was made for Linux: x64 with and without --gpu, arm64 without.",
    );
  }
  const compiler = env.CXX ?? "g++";
  if (spawnSync(compiler, ["--version"]).status !== 0) {
    throw new Stop(`The C++ compiler ${compiler} does not run. Install one (Debian: apt install g++) or set CXX.`);
  }
  const name = gpu ? "@tensorflow/tfjs-node-gpu" : "@tensorflow/tfjs-node";
  const packageFolder = installed(name, folder) ?? install({ name, folder, save: !flags["no-save"] });
  const site = await tensorflow({ known, cache, wheel, tag: kind.replace(" ", "-") });
  if (gpu && !flags["system-cuda"]) await cudaLibraries(site);
  const headers = nodeApiHeaders(cache);
  const addon = compile({ compiler, packageFolder, site, headers });
  say(check({ packageFolder, gpu }));
  say(`Built ${addon}\nIt uses the libraries in ${site}: leave them there.`);
}

/** The folder of a package as seen from another folder, or undefined. */
function installed(name, folder) {
  try {
    return dirname(createRequire(join(folder, "noop.js")).resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

/** Without its install script, which would look for a prebuilt addon in a storage bucket. */
function install({ name, folder, save }) {
  say(`npm install --ignore-scripts ${name}@${TFJS}`);
  mkdirSync(folder, { recursive: true });
  const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", save ? "--save-exact" : "--no-save"];
  execFileSync("npm", [...args, `${name}@${TFJS}`], { cwd: folder, stdio: ["ignore", 2, 2] });
  const found = installed(name, folder);
  if (found === undefined) throw new Stop(`npm installed ${name}, but not below ${folder}; is that where --folder is?`);
  return found;
}

/** The folder that has tensorflow/ with libraries and headers; taken from the wheel the first time. */
async function tensorflow({ known, cache, wheel, tag }) {
  const site = join(cache, `tensorflow-${TENSORFLOW}-${tag}`);
  if (existsSync(site)) return site;
  mkdirSync(cache, { recursive: true });
  const file = wheel ?? join(cache, known.file);
  if (wheel === undefined) await download({ ...known, to: file, otherwise: OTHERWISE });
  else if ((await sha256Of(file)) !== known.sha256) {
    say(`${file} is not ${known.file}, which was tried; going on with it.`);
  }
  say(`unpacking ${file}`);
  const draft = `${site}.${process.pid}`;
  await unpack(file, draft, (path) => WANTED.some((wanted) => wanted.test(path)));
  for (const library of ["cc", "framework"]) {
    if (!existsSync(join(draft, "tensorflow", `libtensorflow_${library}.so.2`))) {
      rmSync(draft, { recursive: true });
      throw new Stop(`${file} has no tensorflow/libtensorflow_${library}.so.2; wheels from 2.12 on have it.`);
    }
  }
  renameSync(draft, site);
  if (wheel === undefined) rmSync(file);
  return site;
}

/** NVIDIA's wheels, in the versions that this TensorFlow asks for; it looks for them in ../nvidia beside itself. */
async function cudaLibraries(site) {
  const information = readdirSync(site).find((name) => name.endsWith(".dist-info"));
  if (information === undefined) throw new Stop(`${site} has no metadata; remove it and start again.`);
  const metadata = readFileSync(join(site, information, "METADATA"), "utf8");
  for (const [, project, version] of metadata.matchAll(/^Requires-Dist: (nvidia-[\w-]+) ?==([\d.]+)/gm)) {
    const mark = join(site, `${project}-${version}.done`);
    if (existsSync(mark)) continue;
    const file = join(site, `${project}.whl`);
    await download({ ...(await latestFile(project, version, OTHERWISE)), project, to: file, otherwise: OTHERWISE });
    await unpack(file, site, (path) => /\/lib\/[^/]*\.so[^/]*$|\/(bin|nvvm)\//.test(path));
    rmSync(file);
    writeFileSync(mark, "");
  }
}

/** The headers of Node-API: small, and the same for every Node, so Node's own need not be here. */
function nodeApiHeaders(cache) {
  const folder = join(cache, `node-api-headers-${NODE_API_HEADERS}`);
  const found = join(folder, "node_modules", "node-api-headers", "include");
  if (!existsSync(found)) {
    mkdirSync(folder, { recursive: true });
    const args = ["install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", "--no-save"];
    execFileSync("npm", [...args, `node-api-headers@${NODE_API_HEADERS}`], { cwd: folder, stdio: ["ignore", 2, 2] });
  }
  return found;
}

/** Two files of C++; what binding.gyp would have done, less Python and the download of Node's headers. */
function compile({ compiler, packageFolder, site, headers }) {
  const { binary } = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8"));
  // The folder where the package looks: the newest Node-API that both it and this Node have.
  const api = Math.max(...binary.napi_versions.filter((version) => version <= Number(process.versions.napi)));
  const addon = join(packageFolder, "lib", `napi-v${api}`, "tfjs_binding.node");
  const library = join(site, "tensorflow");
  mkdirSync(dirname(addon), { recursive: true });
  const draft = `${addon}.${process.pid}`;
  const args = [
    ...["-O2", "-std=c++17", "-fPIC", "-shared", `-DNAPI_VERSION=${api}`],
    ...["-I", join(library, "include"), "-I", headers],
    ...["binding/tfjs_backend.cc", "binding/tfjs_binding.cc", "-o", draft],
    ...["-L", library, "-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2", `-Wl,-rpath,${library}`],
  ];
  say(`${compiler} ${args.join(" ")}`);
  execFileSync(compiler, args, { cwd: packageFolder, stdio: ["ignore", 2, 2] });
  renameSync(draft, addon);
  return addon;
}

/** One product on it, in a process of its own: a library that does not fit ends its process. */
function check({ packageFolder, gpu }) {
  const script = `
    const util = require("node:util");
    util.isNullOrUndefined ??= (value) => value === null || value === undefined;
    util.isArray ??= Array.isArray;
    const tf = require(${JSON.stringify(packageFolder)});
    const product = tf.matMul(tf.ones([64, 64]), tf.fill([64, 64], 2));
    if (!product.dataSync().every((value) => value === 128)) throw new Error("64 × 64 product is wrong");
    const { binding, isUsingGpuDevice } = tf.backend();
    console.log("TensorFlow", binding.TF_Version + ", on", isUsingGpuDevice ? "a GPU" : "the processor");`;
  const {
    status,
    signal,
    stdout,
    stderr: errors,
  } = spawnSync(execPath, ["-e", script], {
    encoding: "utf8",
    env: { ...env, TF_CPP_MIN_LOG_LEVEL: gpu ? "0" : "2" },
  });
  if (status !== 0) throw new Stop(`The addon was built but does not run (${signal ?? `exit ${status}`}):\n${errors}`);
  const withoutGpu = gpu && stdout.includes("the processor");
  return withoutGpu ? `${errors}It runs, but TensorFlow found no GPU: see above.\n${stdout.trim()}` : stdout.trim();
}

runScript(import.meta.url, main);
