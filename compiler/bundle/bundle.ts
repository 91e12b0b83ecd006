/** esbuild: the generated files and the runtime as one CommonJS file that plain node runs from any folder. */
import { basename, dirname, join } from "node:path";
import { build } from "esbuild";
import type { GeneratedFile } from "../emit/code";
import { packageRoot } from "../emit/package-root";

/** Native packages stay outside; the runtime looks for them beside the bundle and from where it is started. */
const EXTERNAL = ["onnxruntime-node", "sharp", "koffi"];

export interface BundleInput {
  /** Absolute folder that the files are meant for; they need not be written yet. */
  readonly folder: string;
  readonly files: readonly GeneratedFile[];
  /** The header of main.ts: esbuild would move a comment to the end. */
  readonly banner: string;
}

export async function bundle(input: BundleInput): Promise<string> {
  const [text] = await bundleMany([input]);
  if (text === undefined) throw new Error("internal: esbuild gave nothing");
  return text;
}

/** The same text for each as alone; the runtime is parsed once for all of them. In the order of the inputs. */
export async function bundleMany(inputs: readonly BundleInput[]): Promise<readonly string[]> {
  const root = packageRoot();
  const byPath = new Map(
    inputs.flatMap(({ folder, files }) => files.map(({ name, text }) => [join(folder, name), text])),
  );
  const result = await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(inputs.map(({ folder }, index) => [String(index), join(folder, "main.ts")])),
    bundle: true,
    write: false,
    outdir: root,
    platform: "node",
    target: "node20",
    format: "cjs",
    external: EXTERNAL,
    legalComments: "none",
    logLevel: "silent",
    tsconfigRaw: {},
    plugins: [
      {
        name: "ijepa",
        setup(build) {
          build.onResolve({ filter: /^ijepa\/runtime\// }, ({ path }) => ({
            path: join(root, `${path.slice("ijepa/".length)}.ts`),
          }));
          build.onResolve({ filter: /^\.\/|^\// }, ({ path, resolveDir }) => {
            const file = path.startsWith("/") ? path : join(resolveDir, `${path}.ts`);
            return byPath.has(file) ? { path: file, namespace: "generated" } : undefined;
          });
          build.onLoad({ filter: /.*/, namespace: "generated" }, ({ path }) => ({
            contents: byPath.get(path) ?? "",
            loader: "ts",
            resolveDir: dirname(path),
          }));
        },
      },
    ],
  });
  const byName = new Map(result.outputFiles.map((file) => [basename(file.path), file]));
  return inputs.map(({ banner }, index) => {
    const output = byName.get(`${index}.js`);
    if (output === undefined) throw new Error("internal: esbuild gave nothing");
    return `${banner}\n${output.text}`;
  });
}
