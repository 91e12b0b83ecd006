#!/usr/bin/env node
/**
 * SwiftShader, a Vulkan that computes on the processor: with it the WebGPU engine runs on a machine without a GPU. Slow,
 * but every number is computed as on a card, so it serves for tests. It comes out of an npm package that carries it for
 * a browser, and needs Linux on x86-64.
 *
 *   node scripts/swiftshader.mjs                    fetches it (68 MB, of which 7 MB are kept in node_modules/.cache)
 *   node scripts/swiftshader.mjs -- COMMAND …       runs a command that finds it instead of a GPU
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";

const PACKAGE = "@sparticuz/chromium@147.0.0";
const SHA512 = "4ZKeAQQa8up2mt675qSitztLdbQrlf8BKdC5naeap+5Mv1OV1OlJdPoU+EJC/p5sQUJUQmN4r+q5+EhaaOUHpQ==";
/** The driver, the file that names it to a Vulkan loader, and a loader for systems without one. */
const FILES = ["libvk_swiftshader.so", "vk_swiftshader_icd.json", "libvulkan.so.1"];

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), "node_modules", ".cache", "swiftshader");
const isThere = () => FILES.every((name) => existsSync(join(folder, name)));

/** Ends with a sentence and code 1. */
function fail(why) {
  process.stderr.write(`SwiftShader: ${why}\n`);
  process.exit(1);
}

function run(command, args, options) {
  const { status, error, stderr } = spawnSync(command, args, { encoding: "utf8", ...options });
  if (status !== 0) fail(`${command} ${args.join(" ")}: ${error?.message ?? stderr.trim()}`);
}

function fetchIt() {
  if (process.platform !== "linux" || process.arch !== "x64") {
    fail(`there is none for ${process.platform} ${process.arch} here, only for linux x64`);
  }
  const scratch = mkdtempSync(join(tmpdir(), "swiftshader-"));
  try {
    run("npm", ["pack", "--silent", "--pack-destination", scratch, PACKAGE], { cwd: scratch });
    const archive = join(scratch, "sparticuz-chromium-147.0.0.tgz");
    const found = createHash("sha512").update(readFileSync(archive)).digest("base64");
    if (found !== SHA512) fail(`${PACKAGE} is not the package that this script knows (sha512 ${found})`);
    run("tar", ["-xzf", archive, "-C", scratch, "package/bin/swiftshader.tar.br"]);
    const inner = brotliDecompressSync(readFileSync(join(scratch, "package/bin/swiftshader.tar.br")));
    const unpacked = join(scratch, "swiftshader");
    mkdirSync(unpacked);
    run("tar", ["-xf", "-", "-C", unpacked, ...FILES], { input: inner });
    mkdirSync(folder, { recursive: true });
    // Each file whole or not at all, also when two fetch it at once.
    for (const name of FILES) {
      run("cp", [join(unpacked, name), join(folder, `${name}.${process.pid}`)]);
      renameSync(join(folder, `${name}.${process.pid}`), join(folder, name));
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const [separator, command, ...args] = process.argv.slice(2);
if (separator !== undefined && separator !== "--") fail(`found ${separator}; a command stands after --`);
if (!isThere()) fetchIt();
// The loader beside it is only for systems without one, so it comes last.
const variables = {
  VK_ICD_FILENAMES: join(folder, "vk_swiftshader_icd.json"),
  LD_LIBRARY_PATH: [process.env.LD_LIBRARY_PATH, folder].filter(Boolean).join(delimiter),
};
if (command === undefined) {
  process.stdout.write(
    Object.entries(variables)
      .map(([name, value]) => `export ${name}=${value}\n`)
      .join(""),
  );
} else {
  const { status, error } = spawnSync(command, args, { stdio: "inherit", env: { ...process.env, ...variables } });
  if (error) fail(`${command}: ${error.message}`);
  process.exitCode = status ?? 1;
}
