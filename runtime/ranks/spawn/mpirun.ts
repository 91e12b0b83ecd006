/** The mpirun of this host: where it is, of which MPI, and its arguments for ranks on this host alone. */
import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { mpirunMissing, mpirunUnknown } from "../../errors";
import { textOf, type Variables } from "../launchers/variables";
import type { AbiName } from "../mpi/abi";

export interface Mpirun {
  readonly path: string;
  readonly kind: AbiName;
}

/** Where several MPIs stand side by side, mpirun is the one that the system's owner chose. */
const names = ["mpirun", "mpiexec", "mpirun.openmpi", "mpirun.mpich", "mpiexec.hydra"];

/** IJEPA_MPIRUN names one; else the first of the PATH. Throws R206 where there is none, R207 where it is of no known MPI. */
export function findMpirun(variables: Variables): Mpirun {
  const named = textOf(variables, "IJEPA_MPIRUN");
  const folders = (variables.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const paths = named === null ? names.flatMap((name) => folders.map((folder) => join(folder, name))) : [named];
  const path = paths.find(isProgram);
  if (path === undefined) throw mpirunMissing({ named });
  const { kind, says } = kindOf(path);
  if (kind === null) throw mpirunUnknown({ path, says });
  return { path, kind };
}

function kindOf(path: string): { readonly kind: AbiName | null; readonly says: string } {
  try {
    const says = execFileSync(path, ["--version"], {
      encoding: "utf8",
      timeout: 20_000,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const kind = /Open MPI|OpenRTE|PRRTE/.test(says)
      ? "Open MPI"
      : /HYDRA|MPICH|Intel\(R\) MPI/i.test(says)
        ? "MPICH"
        : null;
    return { kind, says: says.trim().split("\n")[0] ?? "" };
  } catch (error) {
    return { kind: null, says: error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error) };
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface RanksHere {
  readonly ranks: number;
  readonly cores: number;
  /** mpirun of Open MPI wants to be told that this is meant. */
  readonly isRoot: boolean;
  /** Program and arguments of every rank. */
  readonly command: readonly string[];
}

/** No shell reads them. */
export function mpirunArguments(kind: AbiName, { ranks, cores, isRoot, command }: RanksHere): readonly string[] {
  const count = ["-n", String(ranks)];
  if (kind === "MPICH") return [...count, "-launcher", "fork", ...command];
  return [
    ...count,
    // Otherwise each of two ranks is bound to one core, and the threads of its engine share it.
    "--bind-to",
    "none",
    ...(ranks > cores ? ["--oversubscribe"] : []),
    ...(isRoot ? ["--allow-run-as-root"] : []),
    ...command,
  ];
}

/** Of these a trainer reads that its job was begun anew, and how many cores it has. */
const keptOfSlurm = [
  "SLURM_JOB_ID",
  "SLURM_ARRAY_JOB_ID",
  "SLURM_ARRAY_TASK_ID",
  "SLURM_CLUSTER_NAME",
  "SLURM_RESTART_COUNT",
  "SLURM_CPUS_ON_NODE",
];

/**
 * In a Slurm job mpirun would place the ranks on the hosts of the job; without its variables it stays on this host. The
 * ranks get back those that they read, by `env` before their command.
 */
export function withoutSlurm(
  variables: Variables,
  command: readonly string[],
): { readonly variables: Variables; readonly command: readonly string[] } {
  const kept = keptOfSlurm.flatMap((name) => (variables[name] === undefined ? [] : [`${name}=${variables[name]}`]));
  const others = Object.entries(variables).filter(([name]) => !/^SLURMD?_/.test(name));
  return {
    variables: Object.fromEntries(others),
    command: kept.length === 0 ? command : ["env", ...kept, ...command],
  };
}
