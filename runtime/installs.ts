/** How the packages with native code are installed, which a trainer loads when it runs. */

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
  "@julusian/jpeg-turbo": "2.3.0",
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

/** How a package is installed, and what one has to know besides. */
export function installOf(name: string): { readonly install: string; readonly note: string | undefined } {
  const known = installs[name];
  return { install: known?.command ?? installCommand([name]), note: known?.note };
}
