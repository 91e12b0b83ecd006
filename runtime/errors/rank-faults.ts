/** R20x: ranks that end the run of all. Each names the rank, its host and what became of it. */
import { UserError } from "./user-error";

interface Rank {
  readonly rank: number;
  readonly host: string;
  readonly pid: number;
  readonly doing: string;
}

const describe = ({ rank, host, pid }: Rank): string => `rank ${rank} on ${host} (process ${pid})`;
const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
const goOn = "The last checkpoint is whole; the same command with --resume goes on from it.";

/** Another rank gave up, and said why. */
export function rankFailed(was: Rank & { readonly reason: string }): UserError {
  // What a rank found out about another one is passed on as it is.
  return new UserError(
    "R200",
    was.reason.startsWith("The run ends") ? was.reason : `The run ends because ${describe(was)} failed: ${was.reason}`,
  );
}

/** The process of another rank on this host is not there any more. */
export function rankGone(was: Rank): UserError {
  return new UserError(
    "R201",
    `The run ends because ${describe(was)} is gone: the process ended during ${was.doing} without a word. ` +
      `If memory ran out, the system's log says so. ${goOn}`,
  );
}

/** A rank is gone, MPICH's mpirun ended the others before one of them could say which, and nothing else tells it. */
export function someRankGone(named: Rank): UserError {
  return new UserError(
    "R210",
    `The run ends because a rank is gone, and mpirun of MPICH has ended the others. It names ${describe(named)}, ` +
      `which was at ${named.doing}; the first to go may have been another one. If memory ran out, the system's log says so. ${goOn}`,
  );
}

/** Another rank gives no sign of life: its process, its host or the disk between them stands still. */
export function rankSilent(was: Rank & { readonly silentMs: number }): UserError {
  return new UserError(
    "R202",
    `The run ends because ${describe(was)} has given no sign of life for ${seconds(was.silentMs)}, since ${was.doing}: ` +
      `its process or its host is dead or stopped, or it cannot write into the run folder. ${goOn}`,
  );
}

/** Another rank lives and does not come to where all others wait. */
export function rankLate(was: Rank & { readonly waitedMs: number }): UserError {
  return new UserError(
    "R203",
    `The run ends because ${describe(was)} hangs: the other ranks have waited ${seconds(was.waitedMs)} for it during ` +
      `${was.doing}. ${goOn}`,
  );
}

/** A rank has not started, or writes into another folder. */
export function rankNotSeen(was: {
  readonly rank: number;
  readonly folder: string;
  readonly waitedMs: number;
}): UserError {
  return new UserError(
    "R204",
    `The run ends because rank ${was.rank} has given no sign of life in ${was.folder} within ${seconds(was.waitedMs)}. ` +
      "It did not start, or the run folder is not on a disk that all hosts share: name one with --run-dir.",
  );
}

/** All ranks wait in the same exchange, and it does not end. */
export function ranksStuck(was: { readonly waitedMs: number }): UserError {
  return new UserError(
    "R205",
    `The run ends because an exchange that all ranks have begun has not ended for ${seconds(was.waitedMs)}: ` +
      `the network between the hosts does not work, or the MPI library hangs. ${goOn}`,
  );
}

/** A run of several ranks on this host is started through mpirun, and there is none. */
export function mpirunMissing(was: { readonly named: string | null }): UserError {
  const looked =
    was.named === null ? "there is no mpirun in the PATH" : `IJEPA_MPIRUN names ${was.named}, which is no program`;
  return new UserError(
    "R206",
    `This experiment wants several ranks, which are started through mpirun, and ${looked}. Install an MPI ` +
      "(apt install openmpi-bin, dnf install openmpi, brew install open-mpi), or name its mpirun with IJEPA_MPIRUN.",
  );
}

/** The mpirun that was found belongs to no MPI that is known. */
export function mpirunUnknown(was: { readonly path: string; readonly says: string }): UserError {
  return new UserError(
    "R207",
    `${was.path} --version says ${JSON.stringify(was.says)}, which is neither Open MPI nor MPICH. ` +
      "Name the mpirun of one of them with IJEPA_MPIRUN.",
  );
}

/** The system does not start mpirun. */
export function mpirunNotStarted(was: {
  readonly path: string;
  readonly why: string;
  readonly cause?: unknown;
}): UserError {
  return new UserError("R208", `${was.path} could not be started: ${was.why}. Try it with --version.`, {
    cause: was.cause,
  });
}

/** A trainer was started as one of more or fewer ranks than its experiment has devices. */
export function otherNumberOfRanks(was: {
  readonly launcher: string;
  readonly ranks: number;
  readonly gpus: number;
  /** One rank may have several devices. */
  readonly holdsManyDevices: boolean;
}): UserError {
  const ranks = was.ranks === 1 ? "one rank" : `${was.ranks} ranks`;
  const devices = was.gpus === 1 ? "one device" : `${was.gpus} devices`;
  return new UserError(
    "R209",
    `This trainer was compiled for ${devices} (hardware.gpus), but ${was.launcher} started ${ranks}. Start ` +
      `${was.gpus}${was.holdsManyDevices && was.gpus > 1 ? " or a number that divides it, so that each has as many devices" : ""}, or ` +
      `set hardware.gpus to ${was.ranks} and compile again: checkpoints of the run go on with another number.`,
  );
}

/** A rank does not reach rank 0, where the processes of one XLA client find each other. */
export function rankUnreachable(was: {
  readonly rank: number;
  readonly hosts: readonly string[];
  readonly port: number;
  readonly why: string;
}): UserError {
  return new UserError(
    "R213",
    `Rank ${was.rank} does not reach rank 0 on port ${was.port} of ${was.hosts.join(", ")}: ${was.why}. The hosts of a run ` +
      "must reach each other on the ports that the system gives out (net.ipv4.ip_local_port_range); look at the firewall.",
  );
}

/** The connection to another rank is closed: its process has ended, or the network between the hosts has. */
export function rankConnectionLost(was: { readonly rank: number; readonly host: string }): UserError {
  return new UserError(
    "R214",
    `The run ends because the connection to rank ${was.rank} on ${was.host} is closed: its process has ended, or the network ` +
      `between the hosts has. ${goOn}`,
  );
}

/** Ranks that a scheduler was to start have not come to rank 0. */
export function ranksNotJoined(was: {
  readonly missing: readonly number[];
  readonly size: number;
  readonly waitedMs: number;
}): UserError {
  const some = was.missing.slice(0, 8).join(", ");
  const more = was.missing.length > 8 ? ` and ${was.missing.length - 8} more` : "";
  return new UserError(
    "R215",
    `Of ${was.size} ranks these have not come within ${seconds(was.waitedMs)}: ${some}${more}. Either they were not started (is ` +
      "there room for all of them at once?), or they do not see the run folder, or do not reach this host.",
  );
}
