/** What of this machine matters to engines, as far as it can be seen without them. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, platform, release, totalmem } from "node:os";
import { join } from "node:path";
import { turbojpeg } from "../../runtime/data/jpeg/turbojpeg";

export interface System {
  readonly node: string;
  /** E.g. "linux 6.1.0 x64". */
  readonly os: string;
  readonly processor: string;
  /** That this process may use. */
  readonly cores: number;
  readonly memoryGiB: number;
  readonly gpus: readonly SeenGpu[];
  /** Whether libjpeg-turbo decodes JPEG; otherwise sharp does. */
  readonly hasTurbojpeg: boolean;
}

export interface SeenGpu {
  readonly name: string;
  /** Who says so: "nvidia-smi", "vulkaninfo" or "PCI". */
  readonly seenBy: string;
}

export function system(): System {
  return {
    node: process.versions.node,
    os: `${platform()} ${release()} ${arch()}`,
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: totalmem() / 2 ** 30,
    gpus: [...nvidia(), ...vulkan(), ...pci()],
    hasTurbojpeg: turbojpeg() !== null,
  };
}

/** What a program prints, or nothing where it is missing, fails, or takes too long. */
function printed(command: string, args: readonly string[]): string {
  const { status, stdout } = spawnSync(command, args, { encoding: "utf8", timeout: 10_000, windowsHide: true });
  return status === 0 ? stdout : "";
}

function nvidia(): readonly SeenGpu[] {
  const text = printed("nvidia-smi", ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]);
  return linesOf(text).map((line) => {
    const [name = "?", memory = "?", driver = "?"] = line.split(", ");
    return { name: `${name}, ${memory}, driver ${driver}`, seenBy: "nvidia-smi" };
  });
}

/** Also says which of them is a processor that only plays a GPU (llvmpipe, SwiftShader). */
export function vulkanDevices(text: string): readonly string[] {
  const after = (line: string): string => line.slice(line.indexOf("=") + 1).trim();
  const types = linesOf(text).filter((line) => /^\s*deviceType\s*=/.test(line));
  return linesOf(text)
    .filter((line) => /^\s*deviceName\s*=/.test(line))
    .map((line, i) => `${after(line)}${(types[i] ?? "").endsWith("_CPU") ? " (software)" : ""}`);
}

function vulkan(): readonly SeenGpu[] {
  return vulkanDevices(printed("vulkaninfo", ["--summary"])).map((name) => ({ name, seenBy: "vulkaninfo" }));
}

const VENDORS: Readonly<Record<string, string>> = { "0x10de": "NVIDIA", "0x1002": "AMD", "0x8086": "Intel" };

/** Linux lists what is plugged in, with or without a driver. Class 03 is displays and 3D controllers. */
function pci(): readonly SeenGpu[] {
  const root = "/sys/bus/pci/devices";
  const read = (device: string, file: string): string => readFileSync(join(root, device, file), "utf8").trim();
  try {
    return readdirSync(root)
      .filter((device) => read(device, "class").startsWith("0x03"))
      .flatMap((device) => {
        const vendor = VENDORS[read(device, "vendor")];
        return vendor === undefined ? [] : [{ name: `${vendor} ${read(device, "device")}`, seenBy: "PCI" }];
      });
  } catch {
    return []; // No such folder outside Linux, or not allowed in a container.
  }
}

function linesOf(text: string): readonly string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}
