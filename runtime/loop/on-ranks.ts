/** A run on as many ranks as its experiment has devices: starts them, or is one of them. */
import { join } from "node:path";
import type { TrainerFlags } from "../cli";
import { errorText } from "../error-text";
import { otherNumberOfRanks, runIsLocked } from "../errors";
import type { TrainerProgram } from "../experiment";
import { type Launch, launchOf } from "../ranks/launch";
import type { Variables } from "../ranks/launchers/variables";
import { openMpiCommunicator } from "../ranks/mpi/mpi";
import { watchedRanks } from "../ranks/run-ranks";
import { spawnRanks } from "../ranks/spawn/spawn";
import { isTorchrunOnOneHost, withoutTorchrun } from "../ranks/spawn/torchrun";
import { streamsOfRank } from "../ranks/streams";
import { isKnownToAll, together } from "../ranks/together";
import type { TrainerEnvironment } from "./environment";
import { lockOwner } from "./lock";
import { run } from "./run";

/** Gives the exit code; throws UserError where the run cannot start, and no rank has begun. */
export async function runOnRanks(
  program: TrainerProgram,
  flags: TrainerFlags,
  environment: TrainerEnvironment,
  variables: Variables,
): Promise<number> {
  const launch = launchOf(variables);
  const { gpus } = program.experiment.hardware;
  const folder = join(flags.runDirectory, "ranks");
  const command = [process.execPath, ...process.execArgv, environment.script, ...environment.args];
  if (launch.launcher === null && gpus > 1) {
    refuseLocked(flags.runDirectory);
    return spawnRanks({ ranks: gpus, command, variables, folder });
  }
  // A rank that leaves before it has joined the others may leave them waiting, so those that can join say it there.
  if (launch.size === 1 || launch.wireUp === null) refuseOtherNumber(launch, gpus);
  if (launch.size === 1) return run(program, flags, environment);
  if (isTorchrunOnOneHost(launch)) {
    if (launch.rank > 0) return 0;
    refuseLocked(flags.runDirectory);
    return spawnRanks({ ranks: gpus, command, variables: withoutTorchrun(variables), folder });
  }
  return runAsRank({ program, flags, environment, launch, variables, folder });
}

async function runAsRank(what: {
  readonly program: TrainerProgram;
  readonly flags: TrainerFlags;
  readonly environment: TrainerEnvironment;
  readonly launch: Launch;
  readonly variables: Variables;
  readonly folder: string;
}): Promise<number> {
  const { program, flags, launch, folder } = what;
  const communicator = await openMpiCommunicator(launch, what.variables);
  const environment = { ...what.environment, ...streamsOfRank(launch.rank, what.environment) };
  const said = (error: unknown): string => {
    const text = errorText(error);
    // The others tell rank 0, and rank 0 tells the person.
    if (communicator.rank === 0) environment.stderr.write(`${text}\n`);
    return text;
  };
  try {
    // Before anything is written into it: the folder may be that of a run under way.
    await together(communicator, "the start", () => {
      refuseOtherNumber(launch, program.experiment.hardware.gpus);
      if (communicator.rank === 0) refuseLocked(flags.runDirectory);
    });
  } catch (error) {
    said(error);
    await communicator.close();
    return 1;
  }
  const ranks = watchedRanks(communicator, { folder, ranksHere: launch.localSize ?? 1 });
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
    if (!isKnownToAll(error)) return await ranks.abort(reason);
    await ranks.close();
    return 1;
  }
}

function refuseOtherNumber({ launcher, size }: Launch, gpus: number): void {
  if (size !== gpus) throw otherNumberOfRanks({ launcher: launcher ?? "nothing", ranks: size, gpus });
}

function refuseLocked(directory: string): void {
  const owner = lockOwner(directory);
  if (owner !== null) throw runIsLocked({ directory, pid: owner.pid, host: owner.host });
}
