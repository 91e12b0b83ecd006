/** One of the processes of a joined client: `node process.cjs RANK SIZE DEVICES PLUGIN FOLDER`. Bundled by the test. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { isMainThread, workerData } from "node:worker_threads";
import { joinProcesses } from "../../../runtime/engines/xla/joined/processes";
import { runThread } from "../../../runtime/engines/xla/joined/thread";
import { loadPjrt } from "../../../runtime/engines/xla/pjrt/api";
import { Client } from "../../../runtime/engines/xla/pjrt/client";
import { targets } from "../../../runtime/engines/xla/target";

const [rank = 0, size = 1, devices = 1] = process.argv.slice(2, 5).map(Number);
const [plugin = "", folder = ""] = process.argv.slice(5);

/** In the place of MPI: rank 0 leaves a file. */
async function broadcast(bytes: Uint8Array): Promise<Uint8Array> {
  const file = join(folder, "broadcast");
  if (rank === 0) {
    writeFileSync(`${file}.draft`, bytes);
    renameSync(`${file}.draft`, file);
    return bytes;
  }
  while (!existsSync(file)) await wait(10);
  return readFileSync(file);
}

async function main(): Promise<void> {
  const joined = await joinProcesses({ rank, size, broadcast });
  const options = { ...targets.gpu.client({ first: 0, count: devices }), ...joined.options };
  const client = await Client.create(loadPjrt(plugin), options, { most: devices, keyValues: joined.callbacks });
  const all = client.allDevices();
  const types = { parameters: [], results: [] };
  const program = await client.compile("module {}", types, { replicas: all.length, partitions: 1, devices: all });
  const { done } = await program.execute(client.devices.map(() => []));
  await done;
  program.release();
  process.stdout.write(JSON.stringify({ own: client.devices, all }));
  client.release();
  await joined.release();
}

if (isMainThread) void main();
else runThread(workerData);
