/** Generated code, compiled in memory, for tests that run it. */
import { join } from "node:path";
import { build } from "esbuild";
import type { GeneratedFile } from "../../compiler/emit/code";
import { packageRoot } from "../../compiler/emit/package-root";
import type { TrainerProgram } from "../../runtime/experiment";
import type { ReplayProgram } from "../../runtime/replay/follow";

/** A whole trainer from its files: what main.ts hands to `train`. */
export async function evaluateTrainer(files: readonly GeneratedFile[]): Promise<TrainerProgram> {
  return (await evaluateMain(files, "trainer", "train")) as TrainerProgram; // main.ts was type-checked against train
}

/** A compiled replay from its files: what main.ts hands to `replay`. */
export async function evaluateReplay(files: readonly GeneratedFile[]): Promise<ReplayProgram> {
  return (await evaluateMain(files, "replay/replay", "replay")) as ReplayProgram; // as above
}

/** Runs main.ts with a stub in place of the function of the runtime that it calls; gives what that was called with. */
async function evaluateMain(files: readonly GeneratedFile[], module: string, called: string): Promise<unknown> {
  const root = packageRoot();
  const byName = new Map(files.map(({ name, text }) => [name, text]));
  const result = await build({
    stdin: { contents: byName.get("main.ts") ?? "", loader: "ts", resolveDir: root },
    bundle: true,
    write: false,
    format: "cjs",
    platform: "node",
    tsconfigRaw: {},
    plugins: [
      {
        name: "runtime",
        setup(setup) {
          setup.onResolve({ filter: new RegExp(`^ijepa/runtime/${module}$`) }, () => ({
            path: module,
            namespace: "stub",
          }));
          setup.onLoad({ filter: /.*/, namespace: "stub" }, () => ({
            contents: `export { generated } from "ijepa/runtime/model/generated";
              export const ${called} = (program) => { globalThis.__ijepaProgram = program; };`,
            resolveDir: root,
          }));
          setup.onResolve({ filter: /^ijepa\/runtime\// }, ({ path }) => ({
            path: join(root, `${path.slice("ijepa/".length)}.ts`),
          }));
          setup.onResolve({ filter: /^\.\// }, ({ path }) =>
            byName.has(`${path.slice(2)}.ts`) ? { path: `${path.slice(2)}.ts`, namespace: "generated" } : undefined,
          );
          setup.onLoad({ filter: /.*/, namespace: "generated" }, ({ path }) => ({
            contents: byName.get(path) ?? "",
            loader: "ts",
            resolveDir: root,
          }));
        },
      },
    ],
  });
  new Function("module", "exports", result.outputFiles[0]?.text ?? "")({ exports: {} }, {});
  const program: unknown = Reflect.get(globalThis, "__ijepaProgram");
  Reflect.deleteProperty(globalThis, "__ijepaProgram");
  return program;
}
