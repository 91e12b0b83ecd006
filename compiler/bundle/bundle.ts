/** esbuild: the generated files and the runtime as one CommonJS file that plain node runs from any folder. */
import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { build } from "esbuild";
import type { GeneratedFile } from "../emit/code";
import { packageRoot } from "../emit/package-root";

/** Native packages stay outside; the runtime looks for them beside the bundle and from where it is started. */
const EXTERNAL = ["onnxruntime-node", "sharp", "koffi"];

export interface BundleInput {
  readonly files: readonly GeneratedFile[];
  /** The header of main.ts: esbuild would move a comment to the end. */
  readonly banner: string;
}

export interface BundleOptions {
  /** sha256 of code that was edited by hand: the trainers mark what they write with it. */
  readonly editedCode?: string;
}

export async function bundle(input: BundleInput, options?: BundleOptions): Promise<string> {
  const [text] = await bundleMany([input], options);
  if (text === undefined) throw new Error("internal: esbuild gave nothing");
  return text;
}

/** The same text for each as alone; the runtime is parsed once for all of them. In the order of the inputs. */
export async function bundleMany(
  inputs: readonly BundleInput[],
  { editedCode }: BundleOptions = {},
): Promise<readonly string[]> {
  if (inputs.length === 0) return [];
  const root = packageRoot();
  // esbuild writes the path of each file above its code. These stand for the content, so that equal files give equal
  // bytes wherever they are compiled.
  const byContent = inputs.map(({ files }) => ({
    key: createHash("sha256").update(JSON.stringify(files)).digest("hex").slice(0, 16),
    files,
  }));
  const byPath = new Map(
    byContent.flatMap(({ key, files }) => files.map(({ name, text }) => [`${key}/${name}`, text])),
  );
  const result = await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(byContent.map(({ key }, index) => [String(index), `${key}/main.ts`])),
    bundle: true,
    write: false,
    outdir: root,
    platform: "node",
    target: "node20",
    format: "cjs",
    external: EXTERNAL,
    define: editedCode === undefined ? {} : { IJEPA_EDITED_CODE: JSON.stringify(editedCode) },
    legalComments: "none",
    logLevel: "silent",
    tsconfigRaw: {},
    plugins: [
      {
        name: "ijepa",
        setup(build) {
          build.onResolve({ filter: /^ijepa\// }, ({ path }) => ({
            path: join(root, `${path.slice("ijepa/".length)}.ts`),
          }));
          build.onResolve({ filter: /.*/ }, ({ kind, path }) =>
            kind === "entry-point" ? { path, namespace: "generated" } : undefined,
          );
          build.onResolve({ filter: /^\.\//, namespace: "generated" }, ({ path, importer }) => ({
            path: `${join(dirname(importer), path)}.ts`,
            namespace: "generated",
          }));
          build.onLoad({ filter: /.*/, namespace: "generated" }, ({ path }) => ({
            contents: byPath.get(path) ?? "",
            loader: "ts",
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
