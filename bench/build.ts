/** Compiles an experiment of the benchmark and bundles it with a driver that times its functions. */
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "../compiler/bundle/bundle";
import { compile } from "../compiler/compile";
import { type HardwareChange, loadWithHardware } from "../tools/pack/hardware";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The path of a script that plain node runs; it takes the flags of bench/driver.ts. The file is seen from the root. */
export async function buildDriver(file: string, change: HardwareChange = {}): Promise<string> {
  const loaded = loadWithHardware(join(root, file), change);
  if (!loaded.ok) throw new Error(`${file}: ${JSON.stringify(loaded.diagnostics)}`);
  // In the place of the trainer stands the driver, so that nothing but the step is measured.
  const files = compile(loaded).files.map(({ name, text }) => ({
    name,
    text: name === "main.ts" ? text.replace('"ijepa/runtime/trainer"', '"ijepa/bench/driver"') : text,
  }));
  const folder = join(tmpdir(), "ijepa-bench");
  mkdirSync(folder, { recursive: true });
  const script = join(folder, `${[loaded.spec.name, ...Object.values(change)].join("-")}.cjs`);
  writeFileSync(script, await bundle({ files, banner: "" }));
  return script;
}
