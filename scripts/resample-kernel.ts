/** The WebAssembly of runtime/data/kernel/resample.as, as the TypeScript module that holds it. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

export function resampleKernel(): string {
  const folder = mkdtempSync(join(tmpdir(), "ijepa-kernel-"));
  try {
    // The compiler wants this ending, which tsc would take for its own.
    copyFileSync(join(root, "runtime/data/kernel/resample.as"), join(folder, "resample.ts"));
    const options = ["--runtime", "stub", "--importMemory", "--noExportMemory", "--enable", "simd"];
    const asc = join(root, "node_modules/assemblyscript/bin/asc.js");
    const optimized = ["--optimizeLevel", "3", "--shrinkLevel", "0", "--converge", "--outFile", "resample.wasm"];
    execFileSync(process.execPath, [asc, "resample.ts", ...options, ...optimized], { cwd: folder, stdio: "inherit" });
    const wasm = readFileSync(join(folder, "resample.wasm")).toString("base64");
    return `/** Made from resample.as by \`npm run generate\`. */\nexport const resampleWasm =\n  "${wasm}";\n`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
