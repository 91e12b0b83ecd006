/**
 * Processes that are one client: through a stand-in for a plugin, which is compiled here, since plugins for processors know no
 * other processes and those for GPUs want GPUs.
 */
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modulePath } from "../../../../compiler/bundle/module-path";
import { compileOptionsBytes } from "../../../../runtime/engines/xla/pjrt/compile-options";
import { firstDevice } from "../../../../runtime/engines/xla/target";

const folder = mkdtempSync(join(tmpdir(), "ijepa-joined-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const plugin = join(folder, "stand-in.so");
const program = join(folder, "process.cjs");

function compiled(): boolean {
  try {
    const source = resolve("tests/support/xla/stand-in.c");
    execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", plugin, source, "-lpthread"], { stdio: "pipe" });
    return true;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    console.warn("No C compiler (cc) here: processes that are one XLA client are not tested.");
    return false;
  }
}

const run = promisify(execFile);

describe.skipIf(process.platform !== "linux" || !compiled())("processes that are one client", () => {
  beforeAll(async () => {
    await build({
      entryPoints: [resolve("tests/support/xla/process.ts")],
      bundle: true,
      platform: "node",
      format: "cjs",
      external: ["koffi"],
      logLevel: "error",
      outfile: program,
    });
  });

  it("tell each other their devices and the ids of their collectives, whoever waits first", {
    timeout: 120_000,
  }, async () => {
    const size = 3;
    const all = [0, 1, 2, 3, 4, 5];
    const ran = await Promise.all(
      Array.from({ length: size }, async (_, rank) => {
        const log = join(folder, `log-${rank}`);
        const args = [program, "2", plugin, folder];
        const place = { JOB_COMPLETION_INDEX: String(rank), IJEPA_RANKS: String(size) };
        const env = { ...process.env, ...place, NODE_PATH: modulePath(), STAND_IN_LOG: log };
        const { stdout, stderr } = await run(process.execPath, args, { env, timeout: 100_000 });
        return { devices: JSON.parse(stdout), stderr, log: readFileSync(log, "utf8").trimEnd().split("\n") };
      }),
    );
    for (const [rank, { devices, stderr, log }] of ran.entries()) {
      expect(stderr).toBe("");
      expect(devices).toEqual({ own: [2 * rank, 2 * rank + 1], all });
      expect(log).toEqual([
        "memory_fraction: 0.92",
        "visible_devices: 0,1",
        `node_id: ${rank}`,
        "num_nodes: 3",
        "tried: no process has said nowhere so far",
        "waited: no process has said never within 100 ms",
        `options: ${Buffer.from(compileOptionsBytes({ replicas: 6, partitions: 1, devices: all })).toString("hex")}`,
        "program: text",
        `clique: ${rank === 0 ? "made" : "an id"}`,
      ]);
    }
  });
});

it.each([
  ["one after the other", { localRank: 3, devices: 2, variables: {} }, 6],
  ["all are shown to everyone", { localRank: 1, devices: 1, variables: { CUDA_VISIBLE_DEVICES: "0,1,2,3" } }, 1],
  ["each is shown its own", { localRank: 3, devices: 1, variables: { CUDA_VISIBLE_DEVICES: "3" } }, 0],
  ["each is shown its own by name", { localRank: 1, devices: 2, variables: { HIP_VISIBLE_DEVICES: "GPU-a,GPU-b" } }, 0],
  ["the variable says nothing", { localRank: 1, devices: 1, variables: { CUDA_VISIBLE_DEVICES: "" } }, 1],
] as const)("the first device of a process where %s", (_, what, first) => {
  expect(firstDevice(what)).toBe(first);
});
