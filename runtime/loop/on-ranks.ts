/** A run on as many ranks as its experiment has devices: starts them, or is one of them. */
import { join } from "node:path";
import type { TrainerFlags } from "../cli";
import type { EngineModule } from "../engines/engine";
import { errorText } from "../error-text";
import { otherNumberOfRanks, runIsLocked, UserError } from "../errors";
import { tryAgainExitCode } from "../exit";
import type { TrainerProgram } from "../experiment";
import type { Communicator } from "../ranks/communicator";
import { type Launch, launchOf } from "../ranks/launch";
import type { Variables } from "../ranks/launchers/variables";
import { openMpiCommunicator } from "../ranks/mpi/mpi";
import { aloneRanks, watchedRanks } from "../ranks/run-ranks";
import { openSocketCommunicator } from "../ranks/sockets/communicator";
import { spawnRanks } from "../ranks/spawn/spawn";
import { isTorchrunOnOneHost, withoutTorchrun } from "../ranks/spawn/torchrun";
import { streamsOfRank } from "../ranks/streams";
import { isKnownToAll, together } from "../ranks/together";
import { exchangeFailed } from "../ranks/watch/watched";
import type { TrainerEnvironment } from "./environment";
import { known, lockOwner } from "./lock";
import { run } from "./run";

type Process = Pick<EngineModule, "holdsManyDevices" | "reducesAmongProcesses">;

/** Gives the exit code; throws UserError where the run cannot start, and no rank has begun. */
export async function runOnRanks(
  program: TrainerProgram,
  flags: TrainerFlags,
  environment: TrainerEnvironment,
  variables: Variables,
  engine: Process = {},
): Promise<number> {
  const launch = launchOf(variables);
  const { gpus } = program.experiment.hardware;
  const folder = join(flags.runDirectory, "ranks");
  const command = [process.execPath, ...process.execArgv, environment.script, ...environment.args];
  if (launch.launcher === null && gpus > 1 && !engine.holdsManyDevices) {
    refuseLocked(flags.runDirectory);
    return spawnRanks({ ranks: gpus, command, variables, folder });
  }
  // A rank that leaves before it has joined the others may leave them waiting, so those that can join say it there.
  if (launch.size === 1 || !canMeet(launch, program, engine)) devicesOf(launch, gpus, engine);
  if (launch.size === 1) return run(program, flags, environment, aloneRanks(gpus));
  if (isTorchrunOnOneHost(launch)) {
    if (launch.rank > 0) return 0;
    // All devices are on this host, and one process can hold them.
    if (engine.holdsManyDevices) return run(program, flags, environment, aloneRanks(gpus));
    refuseLocked(flags.runDirectory);
    return spawnRanks({ ranks: gpus, command, variables: withoutTorchrun(variables), folder });
  }
  return runAsRank({ program, flags, environment, launch, variables, folder, engine });
}

interface Joining {
  readonly program: TrainerProgram;
  readonly launch: Launch;
  readonly variables: Variables;
  /** Where ranks say that they live. */
  readonly folder: string;
  readonly engine: Process;
}

interface OneRank extends Joining {
  readonly flags: TrainerFlags;
  readonly environment: TrainerEnvironment;
}

async function runAsRank(what: OneRank): Promise<number> {
  const { program, flags, launch, folder } = what;
  const communicator = await joinRanks(what);
  const environment = { ...what.environment, ...streamsOfRank(launch.rank, what.environment) };
  const said = (error: unknown): string => {
    const text = errorText(error);
    // The others tell rank 0, and rank 0 tells the person.
    if (communicator.rank === 0) environment.stderr.write(`${text}\n`);
    return text;
  };
  let devices: number;
  try {
    // Before anything is written into it: the folder may be that of a run under way.
    devices = await together(communicator, "the start", () => {
      if (communicator.rank === 0) refuseLocked(flags.runDirectory);
      return devicesOf(launch, program.experiment.hardware.gpus, what.engine);
    });
  } catch (error) {
    said(error);
    await communicator.close();
    return 1;
  }
  const ranksHere = launch.localSize ?? 1;
  const localRank = launch.localRank ?? 0;
  const ranks = watchedRanks(communicator, { folder, ranksHere, localRank, devices });
  try {
    const { experiment } = program;
    await ranks.agree("experiment", experiment.specHash);
    await ranks.agree("version of ijepa", experiment.generatorVersion);
    await ranks.agree("edited code", experiment.editedCode ?? "none");
    await ranks.agree("flags", JSON.stringify({ resume: flags.resume, steps: flags.stopAtStep }));
    const code = await run(program, flags, environment, ranks);
    // Whoever is done waits here for rank 0, which fits the probes and writes.
    await ranks.close();
    return code;
  } catch (error) {
    const reason = said(error);
    if (!isKnownToAll(error)) return await ranks.abort(reason, exitCodeOf(error));
    await ranks.close();
    return 1;
  }
}

/** Where an exchange broke off, nothing is wrong with this rank or its run. */
function exitCodeOf(error: unknown): number {
  return error instanceof UserError && exchangeFailed.has(error.code) ? tryAgainExitCode : 1;
}

/** MPI where the launcher joins its ranks for it; else small things go by sockets, if the gradients need neither. */
function meetsBySockets({ wireUp }: Launch, { experiment }: TrainerProgram, engine: Process): boolean {
  return wireUp === null && engine.reducesAmongProcesses?.(experiment.hardware.device) === true;
}

const canMeet = (launch: Launch, program: TrainerProgram, engine: Process): boolean =>
  launch.wireUp !== null || meetsBySockets(launch, program, engine);

/** Throws R194 to R198 of MPI, or R204, R213, R215 where the ranks do not find each other. */
function joinRanks(what: Joining): Promise<Communicator> {
  const { launch, program, engine, folder, variables } = what;
  return meetsBySockets(launch, program, engine)
    ? openSocketCommunicator(launch, { folder })
    : openMpiCommunicator(launch, variables);
}

/** How many of the devices each rank holds. Throws R209 where they cannot be divided among these ranks. */
function devicesOf({ launcher, size }: Launch, gpus: number, engine: Process): number {
  const holdsManyDevices = engine.holdsManyDevices === true;
  const fits = holdsManyDevices ? gpus % size === 0 : gpus === size;
  if (!fits) throw otherNumberOfRanks({ launcher: launcher ?? "nothing", ranks: size, gpus, holdsManyDevices });
  return gpus / size;
}

function refuseLocked(directory: string): void {
  const owner = lockOwner(directory);
  if (owner !== null) throw runIsLocked({ directory, owner: known(owner) });
}
