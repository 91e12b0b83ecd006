/** From a file to a client of its devices, with every reason why that may fail as a sentence. */
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { pjrtDeviceMissing, pjrtPluginBroken, pjrtPluginTooOld, pjrtTooFewDevices } from "../../../errors";
import type { JoinedProcesses } from "../joined/processes";
import { loadPjrt, OLDEST_MINOR, type Pjrt, PjrtError, PluginError } from "../pjrt/api";
import { Client } from "../pjrt/client";
import { type LocalDevices, targets, type XlaDevice } from "../target";
import { whyNotLoadable } from "./elf";
import { installCommands } from "./known";

/** Throws UserError R106 to R109. */
export async function openPlugin(
  path: string,
  device: XlaDevice,
  { devices, joined }: { readonly devices: LocalDevices; readonly joined?: JoinedProcesses | undefined },
): Promise<Client> {
  const pjrt = loadPlugin(path, device);
  const target = targets[device];
  let client: Client;
  try {
    client = await Client.create(
      pjrt,
      { ...target.client(devices), ...joined?.options },
      { most: devices.count, keyValues: joined?.callbacks },
    );
  } catch (cause) {
    if (!(cause instanceof PjrtError)) throw cause;
    throw pjrtDeviceMissing({ path, device, why: cause.message, cause });
  }
  const { found } = client;
  const isOfDevice = target.platforms.includes(client.platform);
  if (isOfDevice && found >= devices.count) return client;
  client.release();
  if (isOfDevice) throw pjrtTooFewDevices({ path, device, found, ...devices });
  throw pjrtPluginBroken({
    path,
    why: `it is for "${client.platform}", and hardware.device is "${device}"`,
    install: installCommands[device],
  });
}

/** The plugin without a device: enough to compile for one that is not here. Throws UserError R106 or R107. */
export function loadPlugin(path: string, device: XlaDevice): Pjrt {
  const install = installCommands[device];
  const why = statSync(path).isFile() ? whyNotLoadable(path) : "it is a folder";
  if (why !== undefined) throw pjrtPluginBroken({ path, why, install });
  setVariables(path, device);
  try {
    return loadPjrt(path);
  } catch (cause) {
    if (!(cause instanceof PluginError)) throw cause;
    if (cause.kind === "too old") {
      throw pjrtPluginTooOld({ path, found: cause.message, oldest: `0.${OLDEST_MINOR}`, install });
    }
    throw pjrtPluginBroken({ path, why: cause.message, install, cause });
  }
}

/** What XLA reads from the environment, once, when it is loaded. Settings of the user stay. */
function setVariables(path: string, device: XlaDevice): void {
  // Notes and warnings of XLA; what ends the process is still said.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "3";
  if (device !== "gpu" || (process.env.XLA_FLAGS ?? "").includes("xla_gpu_cuda_data_dir")) return;
  // ptxas and libdevice of NVIDIA's packages in the same site-packages: jax_plugins/xla_cuda13/… and nvidia/… beside it.
  const packages = dirname(dirname(dirname(path)));
  const folder = ["cu13", "cuda_nvcc"]
    .map((name) => join(packages, "nvidia", name))
    .find((name) => existsSync(join(name, "nvvm", "libdevice")));
  if (folder === undefined) return;
  process.env.XLA_FLAGS = `${process.env.XLA_FLAGS ?? ""} --xla_gpu_cuda_data_dir=${folder}`.trim();
}
