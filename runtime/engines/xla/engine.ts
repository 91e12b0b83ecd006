/** The engine that compiles generated functions with XLA, through a PJRT plugin: for processors, GPUs and TPUs. */
import { statSync } from "node:fs";
import { aloneCommunicator } from "../../ranks/alone";
import type { DeviceMemory, Engine, EngineOptions } from "../engine";
import { LoadedFunctions } from "../loaded-functions";
import { openCache } from "./cache";
import { loadFunction } from "./load-function";
import { processorText } from "./machine";
import type { AttributeValue } from "./pjrt/api";
import type { Client } from "./pjrt/client";
import { findPlugin } from "./plugin/find";
import { openPlugin } from "./plugin/open";
import type { CompilerParts } from "./programs";
import { XlaStore } from "./store";
import { isXlaDevice, targets } from "./target";

export { startVariables } from "./start";

export const holdsManyDevices = true;

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
  const client = await openPlugin(path, device, { first: localRank * devices, count: devices });
  const { size, mtimeMs } = statSync(path);
  const { pjrt } = client;
  const parts: CompilerParts = {
    client,
    target: targets[device],
    replicas: { joined: client.devices, cutsReductions: reducer.size > 1 },
    precision,
    cache: openCache(),
    dependsOn: [
      ...[path, String(size), String(mtimeMs), versionOf(client), ...[...pjrt.attributes].map(String)],
      ...[client.platform, client.deviceKind, processorText(), process.env.XLA_FLAGS ?? ""],
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
    },
    deviceMemory: () => client.memory(),
  };
}

function versionOf({ pjrt: { version } }: Client): string {
  return `${version.major}.${version.minor}`;
}

function dotted(value: AttributeValue | undefined): string {
  return Array.isArray(value) ? value.join(".") : "?";
}
