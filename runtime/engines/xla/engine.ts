/** The engine that compiles generated functions with XLA, through a PJRT plugin: for processors, GPUs and TPUs. */
import { statSync } from "node:fs";
import { aloneCommunicator } from "../../ranks/alone";
import type { DeviceMemory, DeviceName, Engine, EngineOptions } from "../engine";
import { LoadedFunctions } from "../loaded-functions";
import { openProgramCache } from "./cache";
import { joinProcesses } from "./joined/processes";
import { loadFunction } from "./load-function";
import { processorText } from "./machine";
import type { AttributeValue } from "./pjrt/api";
import type { Client } from "./pjrt/client";
import { findPlugin } from "./plugin/find";
import { openPlugin } from "./plugin/open";
import type { CompilerParts, Replicas } from "./programs";
import { XlaStore } from "./store";
import { firstDevice, isXlaDevice, targets, withAttention } from "./target";

export { runThread } from "./joined/thread";
export { startVariables } from "./start";

export const holdsManyDevices = true;

export const reducesAmongProcesses = (device: DeviceName): boolean =>
  isXlaDevice(device) && targets[device].joinsProcesses;

export interface XlaEngine extends Engine {
  /** Null where the device does not say. */
  deviceMemory(): DeviceMemory | null;
}

/** `threads` has no say: XLA takes the processors that the process may use. */
export async function createEngine(options: EngineOptions): Promise<XlaEngine> {
  const { device = "cpu", precision = "fp32", devices = 1, localRank = 0, progress = () => undefined } = options;
  const reducer = options.reducer ?? aloneCommunicator();
  if (!isXlaDevice(device)) throw new Error(`internal: xla has no device ${device}`);
  // The rules of a spec refuse it (compiler/spec/hardware-rules.ts).
  if (precision === "fp16") throw new Error(`internal: xla does not compute in ${precision}`);
  const path = findPlugin(device, { named: options.pjrtPlugin });
  const target = withAttention(targets[device], { precision, variables: process.env });
  const joined = target.joinsProcesses && reducer.size > 1 ? await joinProcesses(reducer) : undefined;
  const place = { first: firstDevice({ localRank, devices, variables: process.env }), count: devices };
  const client = await openPlugin(path, device, { devices: place, joined });
  const replicas = replicasOf(client, reducer.size, joined !== undefined);
  const { size, mtimeMs } = statSync(path);
  const { pjrt } = client;
  const parts: CompilerParts = {
    client,
    target,
    replicas,
    precision,
    cache: openProgramCache({ note: progress }),
    dependsOn: [
      ...[path, String(size), String(mtimeMs), versionOf(client), ...[...pjrt.attributes].map(String)],
      ...[client.platform, client.deviceKind, processorText(), process.env.XLA_FLAGS ?? ""],
      ...(joined === undefined ? [] : [`process ${reducer.rank} of ${reducer.size}`]),
    ],
    progress,
  };
  const loaded = new LoadedFunctions();
  const stores = new Set<XlaStore>();
  return {
    name: "xla",
    description: `XLA by ${path} (PJRT ${versionOf(client)}, StableHLO ${dotted(pjrt.attributes.get("stablehlo_current_version"))}), ${client.deviceKind}${devices === 1 ? "" : `, ${devices} devices`}`,
    devices,
    createStore: (specs) => {
      const store = new XlaStore(specs, client);
      stores.add(store);
      return store;
    },
    load: async (fn, store) => {
      if (!(store instanceof XlaStore)) throw new Error("internal: the store belongs to another engine");
      return loaded.add(await loadFunction(parts, fn, store, reducer));
    },
    release: async () => {
      await loaded.release();
      for (const store of stores) await store.exclusively(() => store.release());
      client.release();
      await joined?.release();
    },
    deviceMemory: () => client.memory(),
  };
}

function replicasOf(client: Client, processes: number, isJoined: boolean): Replicas {
  if (!isJoined) return { joined: client.devices, cutsReductions: processes > 1 };
  const joined = client.allDevices();
  const wanted = processes * client.devices.length;
  if (joined.length !== wanted) throw new Error(`internal: ${joined.length} devices in all, not ${wanted}`);
  return { joined, cutsReductions: false };
}

function versionOf({ pjrt: { version } }: Client): string {
  return `${version.major}.${version.minor}`;
}

function dotted(value: AttributeValue | undefined): string {
  return Array.isArray(value) ? value.join(".") : "?";
}
