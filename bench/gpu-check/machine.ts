/** What is there to be measured, found without engines. */
import { spawn, spawnSync } from "node:child_process";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { cardOf } from "./cards";
import type { CardUse, Machine } from "./record";

const PACKAGES = ["torch", "jax", "jaxlib", "jax-cuda13-pjrt", "jax-cuda12-pjrt", "timm", "transformers"];

const PLUGINS = ["xla_cuda13/xla_cuda_plugin.so", "xla_cuda12/xla_cuda_plugin.so", "xla_rocm7/xla_rocm_plugin.so"];

/** Python's own description of itself: the plugins in its packages, and their versions. */
const ASK = `
import importlib.metadata as m, json, os, platform, sys
def version(name):
    try: return m.version(name)
    except m.PackageNotFoundError: return None
paths = [os.path.join(folder, "jax_plugins", file) for file in json.loads(sys.argv[1]) for folder in sys.path if folder]
print(json.dumps({"plugins": [path for path in paths if os.path.exists(path)], "python": platform.python_version(),
                  "packages": {name: version(name) for name in sys.argv[2:]}}))
`;

interface Python {
  readonly command: string;
  /** In the order in which they are wanted. */
  readonly plugins: readonly string[];
  readonly python: string;
  readonly packages: Readonly<Record<string, string | null>>;
}

export interface MachineInput {
  /** Undefined: whichever of those that are usual knows most of what is wanted. */
  readonly python: string | undefined;
  readonly device: string;
  /** A plugin that was named; otherwise one of Python's packages is taken for a GPU. */
  readonly plugin: string | undefined;
}

export interface MachineFound {
  readonly machine: Machine;
  /** The Python that runs the peers. */
  readonly python: string;
}

export function machineOf({ python, device, plugin }: MachineInput): MachineFound {
  const environments = [process.env.VIRTUAL_ENV, process.env.CONDA_PREFIX].flatMap((folder) =>
    folder ? [join(folder, "bin", "python3")] : [],
  );
  const candidates = python === undefined ? [...environments, "python3", "python"] : [python];
  const answers = candidates.map(askPython).filter((each) => each !== null);
  const [found] = answers.sort((a, b) => worthOf(b) - worthOf(a));
  return {
    python: found?.command ?? candidates[0] ?? "python3",
    machine: {
      node: process.versions.node,
      processor: cpus()[0]?.model.trim() ?? "unknown",
      cores: availableParallelism(),
      card: cardOfMachine(),
      python: found === undefined ? { python: null } : { python: found.python, ...found.packages },
      plugin: plugin ?? (process.env.IJEPA_PJRT_PLUGIN || (device === "gpu" ? found?.plugins[0] : undefined)) ?? null,
    },
  };
}

const worthOf = ({ plugins, packages }: Python): number =>
  (plugins.length > 0 ? 2 : 0) + (packages.torch === null ? 0 : 2) + (packages.jaxlib === null ? 0 : 1);

function askPython(command: string): Python | null {
  // Whatever its start-up files print comes before.
  const line =
    printed(command, ["-c", ASK, JSON.stringify(PLUGINS), ...PACKAGES])
      .split("\n")
      .at(-1) ?? "";
  try {
    // Printed by the lines above.
    return { ...(JSON.parse(line) as Omit<Python, "command">), command };
  } catch {
    return null; // It is not there, or is no Python 3.8.
  }
}

function cardOfMachine(): Machine["card"] {
  const text = printed("nvidia-smi", ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"]);
  const [name, memory, driver] = text.split("\n")[0]?.split(", ") ?? [];
  if (name === undefined || memory === undefined || driver === undefined) return null;
  return { name, memoryMiB: Number(memory), driver, bf16Teraflops: cardOf(name)?.bf16Teraflops ?? null };
}

function printed(command: string, args: readonly string[]): string {
  const { status, stdout } = spawnSync(command, args, { encoding: "utf8", timeout: 30_000 });
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
