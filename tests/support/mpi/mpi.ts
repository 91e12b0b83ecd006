/** Runs rank.ts under the real mpirun of every MPI that this machine has. */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, existsSync, mkdtempSync, readFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { build } from "esbuild";
import type { AbiName } from "../../../runtime/ranks/mpi/abi";
import { findMpirun, mpirunArguments } from "../../../runtime/ranks/spawn/mpirun";

export interface InstalledMpi {
  readonly kind: AbiName;
  readonly path: string;
}

/** One mpirun of each kind. */
export function installedMpis(): readonly InstalledMpi[] {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const found = new Map<AbiName, InstalledMpi>();
  for (const name of ["mpirun.openmpi", "mpirun.mpich", "mpirun"]) {
    for (const folder of folders) {
      const path = join(folder, name);
      if (!isProgram(path)) continue;
      try {
        const { kind } = findMpirun({ IJEPA_MPIRUN: path });
        if (!found.has(kind)) found.set(kind, { kind, path });
      } catch {
        // Of another MPI.
      }
    }
  }
  const missing = (["Open MPI", "MPICH"] as const).filter((kind) => !found.has(kind));
  if (missing.length > 0) {
    console.log(`Not tested here: ${missing.join(" and ")}, not installed (apt install openmpi-bin mpich).`);
  }
  return [...found.values()];
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Bundles rank.ts into a folder of its own; gives the path. */
export async function bundleRank(): Promise<string> {
  const outfile = join(mkdtempSync(join(tmpdir(), "ijepa-rank-")), "rank.cjs");
  await build({
    entryPoints: [resolve("tests/support/mpi/rank.ts")],
    bundle: true,
    platform: "node",
    format: "cjs",
    external: ["koffi", "onnxruntime-node", "sharp"],
    outfile,
    logLevel: "error",
  });
  return outfile;
}

export interface RunningRanks {
  readonly folder: string;
  readonly process: ChildProcess;
  readonly output: () => string;
  readonly exitCode: Promise<number | null>;
  /** What a rank left behind: `result-0.json`, `fault-1`; null where it did not. */
  readonly file: (name: string) => string | null;
}

export function startRanks(
  mpi: InstalledMpi,
  what: {
    readonly ranks: number;
    readonly command: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
  },
): RunningRanks {
  const folder = mkdtempSync(join(tmpdir(), "ijepa-ranks-"));
  const [program = "", mode = "", ...rest] = what.command;
  const args = mpirunArguments(mpi.kind, {
    ranks: what.ranks,
    cores: availableParallelism(),
    isRoot: process.getuid?.() === 0,
    command: [process.execPath, program, mode, folder, ...rest],
  });
  const child = spawn(mpi.path, [...args], { env: { ...process.env, ...what.env }, stdio: ["ignore", "pipe", "pipe"] });
  return follow(child, folder);
}

export function follow(child: ChildProcess, folder: string): RunningRanks {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (data) => {
      output += String(data);
    });
  }
  const exitCode = new Promise<number | null>((done) => child.on("close", done));
  const file = (name: string): string | null =>
    existsSync(join(folder, name)) ? readFileSync(join(folder, name), "utf8") : null;
  return { folder, process: child, output: () => output, exitCode, file };
}
