/** One of the processes of a joined client, a pod of an Indexed Job: `node process.cjs DEVICES PLUGIN FOLDER`. Bundled by the test. */
import { join } from "node:path";
import { isMainThread, workerData } from "node:worker_threads";
import { joinProcesses } from "../../../runtime/engines/xla/joined/processes";
import { runThread } from "../../../runtime/engines/xla/joined/thread";
import { loadPjrt } from "../../../runtime/engines/xla/pjrt/api";
import { Client } from "../../../runtime/engines/xla/pjrt/client";
import { targets } from "../../../runtime/engines/xla/target";
import { launchOf } from "../../../runtime/ranks/launch";
import { openSocketCommunicator } from "../../../runtime/ranks/sockets/communicator";

const [devicesText = "1", plugin = "", folder = ""] = process.argv.slice(2);
const devices = Number(devicesText);

async function main(): Promise<void> {
  const ranks = await openSocketCommunicator(launchOf(process.env), { folder: join(folder, "ranks") });
  const joined = await joinProcesses(ranks);
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
  await ranks.close();
}

if (isMainThread) void main();
else runThread(workerData);
