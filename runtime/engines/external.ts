/**
 * Native packages cannot lie inside the bundle: they are looked for where the bundle lies, where the program was
 * started from, and in the current folder.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { packageBroken, packageMissing } from "../errors";
import { messageOf } from "../exceptions";

interface Install {
  readonly command: string;
  /** What a user has to know besides. */
  readonly note?: string;
}

const TFJS_VERSION = "4.22.0";
const tfjs = (...names: readonly string[]): string =>
  `npm install ${names.map((name) => `@tensorflow/${name}@${TFJS_VERSION}`).join(" ")}`;
const nodeNote = (flag: string): string =>
  "Its own installer downloads an addon for Node 18 or 20 and TensorFlow 2.9.1; on another Node, or where that fails, " +
  `node scripts/build-tfjs-node.mjs${flag} of ijepa builds it (docs/engines.md).`;

/** Those that ijepa itself depends on, as in its package.json; a test compares them. */
export const nativeVersions: Readonly<Record<string, string>> = {
  koffi: "3.3.4",
  "onnxruntime-node": "1.30.0",
  sharp: "0.35.5",
};

/** Their install scripts are not needed: that of onnxruntime-node would look for more to download. */
export function installCommand(names: readonly string[]): string {
  const versioned = names.map((name) => {
    const version = nativeVersions[name];
    return version === undefined ? name : `${name}@${version}`;
  });
  const quiet = names.includes("onnxruntime-node") ? " --ignore-scripts" : "";
  return `npm install${quiet} ${versioned.join(" ")}`;
}

/** How the packages are installed that need more than their name. */
const installs: Readonly<Record<string, Install>> = {
  "onnxruntime-node": { command: installCommand(["onnxruntime-node"]) },
  "@tensorflow/tfjs-core": { command: tfjs("tfjs-core") },
  "@tensorflow/tfjs-backend-wasm": { command: tfjs("tfjs-core", "tfjs-backend-cpu", "tfjs-backend-wasm") },
  "@tensorflow/tfjs-backend-cpu": { command: tfjs("tfjs-core", "tfjs-backend-cpu") },
  "@tensorflow/tfjs-node": { command: tfjs("tfjs-node"), note: nodeNote("") },
  "@tensorflow/tfjs-node-gpu": {
    command: tfjs("tfjs-node-gpu"),
    note: `It needs an NVIDIA card with CUDA 11.2 and cuDNN 8.1. ${nodeNote(" --gpu")}`,
  },
};

function installOf(name: string): { readonly install: string; readonly note: string | undefined } {
  const known = installs[name];
  return { install: known?.command ?? installCommand([name]), note: known?.note };
}

/** Folders whose node_modules (and those above) are searched, by a file in each. */
function searchedFrom(): string[] {
  // __filename is that of the bundle, which is CommonJS; the sources are modules and have none.
  const bundle = typeof __filename === "string" ? [__filename] : [];
  const script = process.argv[1] === undefined ? [] : [process.argv[1]];
  return [...bundle, ...script, join(process.cwd(), "noop.js")];
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
