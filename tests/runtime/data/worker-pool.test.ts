/** A pool of threads in a process of its own, since what is asked is when that process ends. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "ijepa-pool-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Answers, then is where nothing can interrupt it, so that it is gone only long after its answer was heard. */
const thread = `
const { parentPort, workerData } = require("node:worker_threads");
const { pbkdf2Sync } = require("node:crypto");
const answered = new Int32Array(workerData.answered);
parentPort.on("message", ({ job }) => {
  parentPort.postMessage({ kind: "done", job, memory: new ArrayBuffer(8) });
  Atomics.store(answered, 0, 1);
  Atomics.notify(answered, 0);
  pbkdf2Sync("", "", 1000000, 64, "sha512");
});
`;

const main = `
import { createWorkerPool } from ${JSON.stringify(resolve("runtime/data/worker-pool.ts"))};
const answered = new Int32Array(new SharedArrayBuffer(4));
const pool = createWorkerPool({
  workerFile: ${JSON.stringify(join(folder, "thread.cjs"))},
  workers: 1,
  workerData: { answered: answered.buffer } as never,
  bad: () => undefined,
});
pool.make({ epoch: 0, images: [] } as never, undefined).catch(() => undefined);
process.once("beforeExit", () => console.log("nothing left to wait for"));
// Its answer is on the way when the pool is closed, and heard after that.
Atomics.wait(answered, 0, 0);
await pool.close();
console.log("closed");
process.exit(0);
`;

test("a pool that is closed while an answer is on its way waits for its threads", async () => {
  writeFileSync(join(folder, "thread.cjs"), thread);
  await build({
    stdin: { contents: main, resolveDir: resolve("."), loader: "ts" },
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    outfile: join(folder, "main.mjs"),
  });
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, "main.mjs")], { encoding: "utf8" });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "closed\n", stderr: "" });
});
