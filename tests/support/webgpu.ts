/** A WebGPU for tests: SwiftShader where it was fetched (scripts/swiftshader.mjs), else a GPU of this machine. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import koffi from "koffi";
import { packageRoot } from "../../compiler/emit/package-root";
import { loadCApi } from "../../runtime/engines/onnx/c-api";
import { createWebgpuEngine, type WebgpuEngine } from "../../runtime/engines/onnx/webgpu/engine";
import { UserError } from "../../runtime/errors";

const swiftshader = join(packageRoot(), "node_modules", ".cache", "swiftshader");
/** Held, so that it stays loaded. */
let loader: unknown;

function useSwiftshader(): boolean {
  const driver = join(swiftshader, "vk_swiftshader_icd.json");
  if (!existsSync(driver)) return false;
  if (loader !== undefined) return true;
  // Before the first library of ours: it sets what cannot be set later.
  loadCApi();
  // Native code looks into the environment itself, of which vitest's process.env is a copy.
  const libc = koffi.load("libc.so.6");
  libc.func("int setenv(const char *, const char *, int)")("VK_ICD_FILENAMES", driver, 1);
  // Whoever asks for a library of this name later gets the one that is loaded; the path for it is read only at the start.
  loader = koffi.load(join(swiftshader, "libvulkan.so.1"));
  return true;
}

/** The environment in which another process finds it. */
export function webgpuEnvironment(): NodeJS.ProcessEnv {
  if (!existsSync(swiftshader)) return process.env;
  const VK_ICD_FILENAMES = join(swiftshader, "vk_swiftshader_icd.json");
  return { ...process.env, VK_ICD_FILENAMES, LD_LIBRARY_PATH: swiftshader };
}

/** Null, with a line that says so, where there is neither. */
export async function webgpuForTests(note?: (line: string) => void): Promise<WebgpuEngine | null> {
  const isSoftware = useSwiftshader();
  try {
    return await createWebgpuEngine({ threads: 1, ...(note && { note }) });
  } catch (error) {
    if (isSoftware || !(error instanceof UserError && error.code === "R104")) throw error;
    console.warn(
      "No GPU with a driver for WebGPU here, and no SwiftShader: tests of device webgpu are left out. " +
        "`node scripts/swiftshader.mjs` fetches it (Linux on x86-64, 68 MB).",
    );
    return null;
  }
}
