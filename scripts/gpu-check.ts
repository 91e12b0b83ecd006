/**
 * `npm run gpu-check`: writes the folder gpu-check/, which needs nothing but itself. Copied to a machine with a GPU,
 * `sh gpu-check/run.sh` measures there what docs/gpu.md shows, within eight minutes, and writes one JSON file.
 *
 *   --out FOLDER     default gpu-check
 *   --device NAME    of the engine xla that is compiled for: gpu, or cpu to try the package itself
 */
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { create } from "tar";
import { makePayload } from "../bench/gpu-check/payload";

const MOST_BYTES = 60 * 2 ** 20;

const { values } = parseArgs({
  options: { out: { type: "string", default: "gpu-check" }, device: { type: "string", default: "gpu" } },
});
const out = resolve(values.out);
const script = fileURLToPath(new URL("../bench/gpu-check/run.sh", import.meta.url));

/** The program that compresses, and its arguments: xz, or Python's module. */
function compressor(): readonly [string, ...string[]] | null {
  const runs = (command: string, ...args: readonly string[]): boolean => spawnSync(command, args).status === 0;
  if (runs("xz", "--version")) return ["xz", "-T0", "-6", "-z"];
  const code = "import lzma,shutil,sys; shutil.copyfileobj(open(sys.argv[1],'rb'), lzma.open(sys.argv[1]+'.xz','wb'))";
  return runs("python3", "-c", "import lzma") ? ["python3", "-c", code] : null;
}

async function main(): Promise<number> {
  if (process.platform !== "linux") {
    console.error(
      `gpu-check: the package takes Node and its native packages from this machine, which is ${process.platform} ` +
        `${process.arch}. Make it on Linux, on the same kind of processor as the machine with the GPU.`,
    );
    return 2;
  }
  const tool = compressor();
  if (tool === null) {
    console.error(
      "gpu-check: neither xz nor a python3 with lzma is here, and one of them has to compress the package.",
    );
    return 2;
  }
  if (existsSync(out)) {
    console.error(`gpu-check: there is something at ${out} already. Remove it, or name another folder with --out.`);
    return 2;
  }
  const draft = `${out}.${process.pid}.tmp`;
  try {
    const payload = join(draft, "payload");
    mkdirSync(payload, { recursive: true });
    const devices = [values.device];
    const { refused } = await makePayload(payload, { devices, tell: (line) => console.error(line) });
    for (const { what, why } of refused) console.error(`left out, ${what}: ${why}`);
    const archive = join(draft, "payload.tar");
    chmodSync(join(payload, "bin/node"), 0o755);
    await create(
      { file: archive, cwd: payload, portable: true, noPax: true, mtime: new Date("1985-10-26T08:15:00Z") },
      ["."],
    );
    console.error("compressing");
    const [command, ...args] = tool;
    const { status, stderr } = spawnSync(command, [...args, archive], { encoding: "utf8" });
    if (status !== 0) throw new Error(`${command} failed: ${stderr}`);
    rmSync(archive, { force: true });
    rmSync(payload, { recursive: true });
    copyFileSync(script, join(draft, "run.sh"));
    const bytes = statSync(`${archive}.xz`).size + statSync(script).size;
    console.log(`${out}: ${(bytes / 2 ** 20).toFixed(1)} MiB. There: sh ${values.out}/run.sh --out gpu.json`);
    if (bytes > MOST_BYTES) {
      console.error("gpu-check: that is more than 60 MiB.");
      return 1;
    }
    renameSync(draft, out);
    return 0;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

process.exitCode = await main();
