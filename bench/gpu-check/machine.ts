/** What is there to be measured, found without engines. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { cardOf } from "./cards";
import type { CardUse, Machine } from "./record";

const PACKAGES = ["torch", "jax", "jaxlib", "jax-cuda13-pjrt", "jax-cuda12-pjrt", "timm", "transformers"];

/** Python's own description of itself: where its packages lie, and their versions. */
const ASK = `
import importlib.metadata as m, json, platform, sys, sysconfig
def version(name):
    try: return m.version(name)
    except m.PackageNotFoundError: return None
print(json.dumps({"site": sysconfig.get_paths()["purelib"], "python": platform.python_version(),
                  "packages": {name: version(name) for name in sys.argv[1:]}}))
`;

const PLUGINS = ["xla_cuda13/xla_cuda_plugin.so", "xla_cuda12/xla_cuda_plugin.so", "xla_rocm7/xla_rocm_plugin.so"];

export interface MachineInput {
  readonly python: string;
  readonly device: string;
  /** A plugin that was named; otherwise one of Python's packages is taken for a GPU. */
  readonly plugin: string | undefined;
}

export function machineOf({ python, device, plugin }: MachineInput): Machine {
  const asked = printed(python, ["-c", ASK, ...PACKAGES]);
  // Printed by the lines above.
  const found = (asked === "" ? null : JSON.parse(asked)) as {
    readonly site: string;
    readonly python: string;
    readonly packages: Readonly<Record<string, string | null>>;
  } | null;
  const installed =
    found === null || device !== "gpu"
      ? undefined
      : PLUGINS.map((file) => join(found.site, "jax_plugins", file)).find((file) => existsSync(file));
  return {
    node: process.versions.node,
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    card: cardOfMachine(),
    python: found === null ? { python: null } : { python: found.python, ...found.packages },
    plugin: plugin ?? process.env.IJEPA_PJRT_PLUGIN ?? installed ?? null,
  };
}

function cardOfMachine(): Machine["card"] {
  const text = printed("nvidia-smi", ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"]);
  const [name, memory, driver] = text.split("\n")[0]?.split(", ") ?? [];
  if (name === undefined || memory === undefined || driver === undefined) return null;
  return { name, memoryMiB: Number(memory), driver, bf16Teraflops: cardOf(name)?.bf16Teraflops ?? null };
}

function printed(command: string, args: readonly string[]): string {
  const { status, stdout } = spawnSync(command, args, { encoding: "utf8", timeout: 15_000 });
  return status === 0 ? stdout.trim() : "";
}

/** Looks at the card until `stop` is called, which gives what was seen; null where there is no nvidia-smi. */
export function watchCard(): { readonly stop: () => CardUse | null } {
  const query = ["--query-gpu=memory.used,utilization.gpu,power.draw,clocks.sm", "--format=csv,noheader,nounits"];
  const child = spawn("nvidia-smi", [...query, "-i", "0", "-lms", "500"], { stdio: ["ignore", "pipe", "ignore"] });
  let text = "";
  child.on("error", () => {});
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  return {
    stop: () => {
      child.kill();
      return cardUse(text);
    },
  };
}

/** The most of each value, which leaves out the time in which a part compiles. */
export function cardUse(text: string): CardUse | null {
  const rows = text
    .split("\n")
    .map((line) => line.split(",").map(Number))
    .filter((row) => row.length === 4);
  const most = (column: number): number => Math.max(...rows.map((row) => row[column] ?? 0).filter(Number.isFinite), 0);
  return rows.length === 0 ? null : { memoryMiB: most(0), busyPercent: most(1), watts: most(2), clockMHz: most(3) };
}
