/** Compiles an experiment of the benchmark and bundles it with a driver that times its functions. */
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { compile } from "../compiler/compile";
import { loadSpec } from "../compiler/spec/load";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The path of a script that plain node runs; it takes the flags of bench/driver.ts. The file is seen from the root. */
export async function buildDriver(file: string): Promise<string> {
  const loaded = loadSpec(join(root, file));
  if (!loaded.ok) throw new Error(`${file}: ${JSON.stringify(loaded.diagnostics)}`);
  const files = new Map(compile(loaded).files.map(({ name, text }) => [`./${name}`, text]));
  const folder = join(tmpdir(), "ijepa-bench");
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, `${loaded.spec.name}.cjs`);
  const result = await build({
    stdin: { contents: files.get("./main.ts") ?? "", loader: "ts", resolveDir: root },
    bundle: true,
    write: false,
    format: "cjs",
    platform: "node",
    target: "node20",
    tsconfigRaw: {},
    plugins: [
      {
        name: "bench",
        setup(setup) {
          // In the place of the trainer stands the driver, so that nothing but the step is measured.
          setup.onResolve({ filter: /^ijepa\/runtime\/trainer$/ }, () => ({ path: join(root, "bench", "driver.ts") }));
          setup.onResolve({ filter: /^ijepa\/runtime\// }, ({ path }) => ({
            path: join(root, `${path.slice("ijepa/".length)}.ts`),
          }));
          setup.onResolve({ filter: /^\.\// }, ({ path }) =>
            files.has(`${path}.ts`) ? { path: `${path}.ts`, namespace: "generated" } : undefined,
          );
          setup.onLoad({ filter: /.*/, namespace: "generated" }, ({ path }) => ({
            contents: files.get(path) ?? "",
            loader: "ts",
            resolveDir: root,
          }));
        },
      },
    ],
  });
  writeFileSync(outfile, result.outputFiles[0]?.text ?? "");
  return outfile;
}
